using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Decoders that an application gives (<see cref="ModelOptions"/>): asked for what the engine does not read itself, behind its limits, and a stranger's file makes them throw whatever they like.</summary>
public sealed class MediaDecoderTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly byte[] Picture = [.. "PICTURE"u8];
    private static readonly byte[] Sound = [.. "SOUND"u8];
    private static readonly RgbImage Pixels = ImageDecoder.Decode(File.ReadAllBytes(Golden.Load("omni/image").Files[0]), null);

    [Fact]
    public void What_they_read_is_asked_about_as_any_medium()
    {
        var images = new Images { Image = Pixels };
        var sounds = new Sounds { Frames = 8000, Channels = 2, Sample = (frame, channel) => MathF.Sin(frame * 0.1f) / (1 + channel) };
        float[] mean = [.. Enumerable.Range(0, 8000).Select(frame => (MathF.Sin(frame * 0.1f) + (MathF.Sin(frame * 0.1f) / 2)) / 2)];
        using var model = Load(images, sounds);
        AssertEqual(new Prompt().Image(Pixels).Audio(mean, 8000), new Prompt().Image(Picture).Audio(Sound), model);
        AssertEqual(
            new Prompt().Video(new VideoPart([MediaSource.Pixels(Pixels), MediaSource.Pixels(Pixels)], 2) { Sound = MediaSource.Samples(mean, 8000) }),
            new Prompt().Video(new VideoPart([MediaSource.Memory(Picture), MediaSource.Memory(Picture)], 2) { Sound = MediaSource.Memory(Sound) }),
            model);
        Assert.Equal(sounds.Opened, sounds.Disposed);
    }

    [Fact]
    public void Without_one_the_formats_are_refused()
    {
        Assert.Equal((DiagnosticCodes.ImageNotSupported, "image 1"), Refusal(omni.Model, new Prompt().Image(Picture)));
        Assert.Equal((DiagnosticCodes.AudioNotSupported, "audio 1"), Refusal(omni.Model, new Prompt().Audio(Sound)));
    }

    // They would recognize these too.
    [Fact]
    public void What_the_engine_reads_itself_never_reaches_them()
    {
        var (images, sounds) = (new Images { All = true }, new Sounds { All = true });
        using var model = Load(images, sounds);
        _ = model.Prepare(new Prompt().Image(PngFiles.Gray(56, 56)).Image(JpegFiles.Progressive(56, 56, 63)).Image(new RgbImage(56, 56, new byte[56 * 56 * 3])).Audio(Audio.WavFiles.Silence(16000)));
        Assert.Equal((0, 0), (images.Asked, sounds.Opened));
    }

    [Fact]
    public void Extents_beyond_the_limits_are_refused_before_pixels_are_asked_for()
    {
        foreach (var (width, height, code) in ((int, int, string)[])[(int.MaxValue, int.MaxValue, DiagnosticCodes.ImageTooLarge), (8193, 8192, DiagnosticCodes.ImageTooLarge), (0, 5, DiagnosticCodes.ImageCorrupt), (-1, -1, DiagnosticCodes.ImageCorrupt)])
        {
            var images = new Images { Extents = (width, height) };
            using var model = Load(images, new Sounds());
            Assert.Equal((code, "image 1"), Refusal(model, new Prompt().Image(Picture)));
            Assert.Equal(0, images.Decoded);
        }

        // Four bytes a pixel as decoders hold them and three as they give them, beside which the patches are few.
        var large = new Images { Image = Pixels };
        using var small = Load(large, new Sounds(), new ModelLimits { MediumBytes = (Pixels.Width * Pixels.Height * 7) - 1 });
        Assert.Equal(DiagnosticCodes.MediumTooLarge, Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(Picture, null, new ModelLimits { MediumBytes = (Pixels.Width * Pixels.Height * 7) - 1 }, [large])).Code);
        Assert.Equal(0, large.Decoded);
    }

    [Fact]
    public void Other_pixels_than_the_header_says_are_refused()
    {
        using var model = Load(new Images { Image = Pixels, Extents = (Pixels.Width + 1, Pixels.Height) }, new Sounds());
        Assert.Equal((DiagnosticCodes.ImageCorrupt, "image 1"), Refusal(model, new Prompt().Image(Picture)));
    }

    [Fact]
    public void Whatever_they_throw_is_the_mediums_error()
    {
        foreach (var thrown in (Exception[])[new IOException("cut"), new InvalidCastException("cut"), new OverflowException("cut"), new InvalidOperationException("cut"), new TaskCanceledException("cut"), new ObjectDisposedException("cut")])
        {
            using var model = Load(new Images { Thrown = thrown }, new Sounds { Thrown = thrown });
            Assert.Equal((DiagnosticCodes.ImageCorrupt, "image 1"), Refusal(model, new Prompt().Image(Picture)));
            using var late = Load(new Images { Image = Pixels, ThrownForPixels = thrown }, new Sounds());
            Assert.Equal((DiagnosticCodes.ImageCorrupt, "image 1"), Refusal(late, new Prompt().Image(Picture)));
            Assert.Equal((DiagnosticCodes.AudioCorrupt, "audio 1"), Refusal(model, new Prompt().Audio(Sound)));
        }

        using var exhausted = Load(new Images { Thrown = new InsufficientMemoryException() }, new Sounds { Thrown = new InsufficientMemoryException() });
        Assert.Equal(DiagnosticCodes.PromptUnusable, Refusal(exhausted, new Prompt().Image(Picture)).Code);
        Assert.Equal(DiagnosticCodes.PromptUnusable, Refusal(exhausted, new Prompt().Audio(Sound)).Code);
    }

    [Fact]
    public void Sound_that_never_ends_is_left_at_the_limit()
    {
        var sounds = new Sounds { Frames = long.MaxValue };
        using var model = Load(new Images(), sounds, new ModelLimits { AudioSeconds = 3 });
        Assert.Equal((DiagnosticCodes.AudioTooLong, "audio 1"), Refusal(model, new Prompt().Audio(Sound)));
        Assert.InRange(sounds.Given, 3 * 8000, 4 * 8000);
        Assert.Equal(1, sounds.Disposed);

        var bytes = new Sounds { Frames = long.MaxValue };
        using var small = Load(new Images(), bytes, new ModelLimits { MediumBytes = 120_000 });
        Assert.Equal((DiagnosticCodes.MediumTooLarge, "audio 1"), Refusal(small, new Prompt().Audio(Sound)));
        Assert.InRange(bytes.Given, 0, (120_000 / 12) + 4096); // Twelve bytes a sample, and the piece that was one too many.
    }

    [Theory]
    [InlineData(0, 8000, DiagnosticCodes.AudioNotSupported)]
    [InlineData(-1, 8000, DiagnosticCodes.AudioNotSupported)]
    [InlineData(256, 8000, DiagnosticCodes.AudioNotSupported)]
    [InlineData(int.MaxValue, 8000, DiagnosticCodes.AudioNotSupported)]
    [InlineData(1, 999, DiagnosticCodes.AudioNotSupported)]
    [InlineData(1, -8000, DiagnosticCodes.AudioNotSupported)]
    public void Channels_and_rates_that_are_none_are_refused(int channels, int rate, string code)
    {
        using var model = Load(new Images(), new Sounds { Channels = channels, SamplingRate = rate });
        Assert.Equal((code, "audio 1"), Refusal(model, new Prompt().Audio(Sound)));
    }

    // Where samples came from an application, no file's format is to blame.
    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(768_001)]
    [InlineData(int.MaxValue)]
    public void A_rate_that_is_none_is_named_with_those_that_are(int rate)
    {
        foreach (var prompt in (Prompt[])[new Prompt().Audio(new float[16000], rate), new Prompt().Audio(Sound)])
        {
            using var model = Load(new Images(), new Sounds { SamplingRate = rate });
            var error = Assert.Throws<MASQuantException>(() => model.Prepare(prompt));
            Assert.Equal((DiagnosticCodes.AudioNotSupported, $"The audio cannot be read: its rate is {rate} Hz; 1000 to 768000 Hz are read. Give its true rate, or resample it to 16000 Hz."), (error.Code, error.Description));
        }
    }

    [Fact]
    public void As_many_channels_as_a_byte_counts_are_heard()
    {
        using var model = Load(new Images(), new Sounds { Channels = 255, Sample = (frame, channel) => channel == 254 ? MathF.Sin(frame) : 0 });
        AssertEqual(new Prompt().Audio([.. Enumerable.Range(0, 8000).Select(frame => MathF.Sin(frame) / 255)], 8000), new Prompt().Audio(Sound), model);
    }

    [Fact]
    public void Samples_that_are_no_clip_are_refused()
    {
        foreach (var sounds in (Sounds[])[new() { Frames = 0 }, new() { Frames = 8000, Sample = (frame, _) => frame == 4000 ? float.NaN : 0 }, new() { Frames = 8000, Channels = 2, Odd = true }, new() { Frames = 8000, Lost = true }])
        {
            using var model = Load(new Images(), sounds);
            Assert.Equal((DiagnosticCodes.AudioCorrupt, "audio 1"), Refusal(model, new Prompt().Audio(Sound)));
        }
    }

    // Where nobody counts seconds, and a decoder has no end.
    [Fact]
    public void Whoever_has_had_enough_of_sound_gets_no_more()
    {
        using var ending = new CancellationTokenSource();
        var sounds = new Sounds { Frames = long.MaxValue, Sample = (frame, _) => CancelAt(frame) };
        using var model = Load(new Images(), sounds, new ModelLimits { AudioSeconds = 100 });
        Assert.Throws<OperationCanceledException>(() => model.Prepare(new Prompt().Audio(Sound), ending.Token));
        Assert.InRange(sounds.Given, 10_001, 20_000);
        Assert.Equal(1, sounds.Disposed);

        float CancelAt(long frame)
        {
            if (frame == 10_000)
            {
                ending.Cancel();
            }

            return 0;
        }
    }

    private static LoadedModel Load(Images images, Sounds sounds, ModelLimits? limits = null)
        => LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", ImageDecoders = [images], AudioDecoders = [sounds], Limits = limits ?? new ModelLimits() });

    private static (string Code, string? File) Refusal(LoadedModel model, Prompt prompt)
    {
        var error = Assert.Throws<MASQuantException>(() => model.Prepare(prompt));
        return (error.Code, error.File);
    }

    private static void AssertEqual(Prompt expected, Prompt actual, LoadedModel model)
    {
        var (one, other) = (model.Prepare(expected), model.Prepare(actual));
        Assert.Equal(one.InputIds, other.InputIds);
        Assert.True(one.InputEmbeddings.Span.SequenceEqual(other.InputEmbeddings.Span));
    }

    private sealed class Images : IImageDecoder
    {
        public RgbImage Image { get; init; } = new(1, 1, new byte[3]);

        public (int Width, int Height)? Extents { get; init; }

        public Exception? Thrown { get; init; }

        public Exception? ThrownForPixels { get; init; }

        public bool All { get; init; }

        public int Asked { get; private set; }

        public int Decoded { get; private set; }

        public bool Recognizes(ReadOnlySpan<byte> file) => All || file.StartsWith(Picture);

        public (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file)
        {
            Asked++;
            return Thrown is null ? Extents ?? (Image.Width, Image.Height) : throw Thrown;
        }

        public RgbImage Decode(ReadOnlySpan<byte> file)
        {
            Decoded++;
            return ThrownForPixels is null ? Image : throw ThrownForPixels;
        }
    }

    private sealed class Sounds : IAudioDecoder
    {
        public long Frames { get; init; } = 8000;

        public int Channels { get; init; } = 1;

        public int SamplingRate { get; init; } = 8000;

        public Func<long, int, float> Sample { get; init; } = (_, _) => 0;

        public Exception? Thrown { get; init; }

        public bool All { get; init; }

        public bool Odd { get; init; }

        public bool Lost { get; init; }

        public int Opened { get; set; }

        public int Disposed { get; set; }

        public long Given { get; set; }

        public bool Recognizes(ReadOnlySpan<byte> file) => All || file.StartsWith(Sound);

        public IAudioReader Open(ReadOnlyMemory<byte> file)
        {
            Opened++;
            return new Reader(this);
        }

        private sealed class Reader(Sounds sounds) : IAudioReader
        {
            private long _frame;

            public int SamplingRate => sounds.SamplingRate;

            public int Channels => sounds.Channels;

            public int Read(Span<float> samples)
            {
                if (sounds.Thrown is not null)
                {
                    throw sounds.Thrown;
                }

                var count = (int)Math.Min(samples.Length / Channels, sounds.Frames - _frame);
                for (var i = 0; i < count * Channels; i++)
                {
                    samples[i] = sounds.Sample(_frame + (i / Channels), i % Channels);
                }

                if (sounds.Lost && _frame > 0)
                {
                    return -1;
                }

                (_frame, sounds.Given) = (_frame + count, sounds.Given + count);
                return (count * Channels) - (sounds.Odd && count > 0 ? 1 : 0);
            }

            public void Dispose() => sounds.Disposed++;
        }
    }
}
