using System.Buffers.Binary;
using MASQuant.AudioFormats;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Media.Tests;

/// <summary>Clips are what ffmpeg makes of them: as long, at the same place, and as loud.</summary>
public class Mp3DecoderTests
{
    // Half a step of 16 bits by which the expectation is rounded, and as much again for two decoders that compute in 32 bits, each to more than 16.
    private const float Step = 1f / 32768;

    private static readonly IAudioDecoder[] Decoders = [new Mp3Decoder()];

    public static TheoryData<string> Clips => MediaFiles.Names(".mp3");

    public static TheoryData<string> WithoutBursts => MediaFiles.Names("stereo.mp3", "mono.mp3", "id3.mp3", "tag.mp3");

    [Theory]
    [MemberData(nameof(WithoutBursts))]
    public void A_clip_has_the_samples_that_ffmpeg_hears(string name)
    {
        var (rate, channels, expected) = MediaFiles.Samples(name);
        var file = MediaFiles.Read(name);
        using var reader = Assert.Single(Decoders, decoder => decoder.Recognizes(file)).Open(file);
        Assert.Equal((rate, channels), (reader.SamplingRate, reader.Channels));
        var actual = ReadAll(reader, 1000 * channels);
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(actual[i] - (expected[i] * Step)) <= Step, $"sample {i}: {actual[i] / Step} is not {expected[i]}");
        }
    }

    // However it is asked for, and wherever the file lies in memory.
    [Theory]
    [MemberData(nameof(Clips))]
    public void Pieces_of_any_length_make_the_same_clip(string name)
    {
        var file = MediaFiles.Read(name);
        var decoder = Assert.Single(Decoders, decoder => decoder.Recognizes(file));
        using var whole = decoder.Open(file);
        using var pieces = decoder.Open(((byte[])[1, 2, .. file, 3]).AsMemory(2, file.Length));
        Assert.Equal(ReadAll(whole, 1 << 16), ReadAll(pieces, 7 * pieces.Channels));
    }

    [Theory]
    [MemberData(nameof(Clips))]
    public void A_model_hears_the_clip(string name)
    {
        var (rate, channels, _) = MediaFiles.Samples(name);
        using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", AudioDecoders = Decoders });
        using var reader = Decoders.First(decoder => decoder.Recognizes(MediaFiles.Read(name))).Open(MediaFiles.Read(name));
        float[] mono = [.. ReadAll(reader, channels * 512).Chunk(channels).Select(frame => frame.Length == 1 ? frame[0] : (frame[0] + frame[1]) / 2)];
        var (expected, actual) = (model.Prepare(new Prompt().Audio(mono, rate)), model.Prepare(new Prompt().Audio(MediaFiles.Read(name))));
        Assert.Equal(expected.InputIds, actual.InputIds);
        Assert.True(expected.InputEmbeddings.Span.SequenceEqual(actual.InputEmbeddings.Span));
    }

    [Theory]
    [MemberData(nameof(Clips))]
    public void A_clip_that_is_cut_short_is_refused_or_shorter(string name)
    {
        var file = MediaFiles.Read(name);
        using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", AudioDecoders = Decoders });
        for (var length = 0; length < file.Length; length += 97)
        {
            var cut = file[..length];
            if (Record.Exception(() => model.Encoder.Plan(new Prompt().Audio(cut).Messages)) is { } error)
            {
                Assert.Contains(Assert.IsType<MASQuantException>(error).Code, (string[])[DiagnosticCodes.AudioCorrupt, DiagnosticCodes.AudioNotSupported]);
            }
        }
    }

    // NLayer 3.0.1 gives windows of a short block the first one's gain in the last band, which begins at 15.6 kHz of 44.1. A model hears up to 8.
    [Fact]
    public void What_is_wrong_in_a_burst_lies_above_what_a_model_hears()
    {
        var (rate, _, samples) = MediaFiles.Samples("mp3-bursts.mp3");
        var file = MediaFiles.Read("mp3-bursts.mp3");
        using var reader = new Mp3Decoder().Open(file);
        var actual = ReadAll(reader, 1000);
        float[] expected = [.. samples.Select(sample => sample * Step)];
        Assert.Equal(expected.Length, actual.Length);
        var (heard, meant) = (Resampler.Resample(actual, rate, 16000), Resampler.Resample(expected, rate, 16000));
        for (var i = 0; i < meant.Length; i++)
        {
            Assert.True(Math.Abs(heard[i] - meant[i]) <= Step, $"sample {i}: {heard[i] / Step} is not {meant[i] / Step}");
        }
    }

    // What stands in place of a first frame's data says where the clip lies: of so many frames nothing is left.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_tag_that_leaves_nothing_leaves_no_clip(int frames)
    {
        var (file, tag) = Tagged();
        Assert.InRange(tag, 4, 40);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(tag + 8), frames);
        using var reader = new Mp3Decoder().Open(file);
        Assert.Empty(ReadAll(reader, 1000));
    }

    // Encoders that do not know their delay write none; their padding says nothing then.
    [Fact]
    public void A_tag_without_a_delay_does_not_say_where_the_clip_ends()
    {
        var (unknown, padded) = (WithDelay(0, 0), WithDelay(0, 1500));
        Assert.Equal(unknown, padded);
        Assert.NotEmpty(unknown);
        Assert.Equal(unknown.Length + 529 - 1 - 1499, WithDelay(1, 1499).Length); // Of all samples, of which the unknown clip lacks the decoder's delay alone.

        static float[] WithDelay(int delay, int padding)
        {
            var (file, tag) = Tagged();
            var lame = tag + 8 + 4 + 4 + 100 + 4;
            Assert.Equal(15, file[tag + 7]); // all four fields
            (file[lame + 21], file[lame + 22], file[lame + 23]) = ((byte)(delay >> 4), (byte)((delay << 4) | (padding >> 8)), (byte)padding);
            using var reader = new Mp3Decoder().Open(file);
            return ReadAll(reader, 1000);
        }
    }

    // Where the tag does not say how many frames there are, what stands behind them does.
    [Fact]
    public void What_stands_behind_the_frames_is_no_sound_and_another_clip_is_refused()
    {
        var endless = WithoutCount();
        using var reader = new Mp3Decoder().Open(endless);
        var expected = ReadAll(reader, 1000);
        foreach (var tail in (byte[][])[[.. "TAG"u8, .. new byte[125]], [.. "ID3"u8, 4, 0], [.. "APETAGEX"u8, 1], [.. "LYRICSBEGIN"u8, 1], new byte[500], [1, 2, 3]])
        {
            using var tailed = new Mp3Decoder().Open((byte[])[.. endless, .. tail]);
            Assert.Equal(expected, ReadAll(tailed, 1000));
        }

        foreach (var (other, error) in ((byte[], string)[])[([1, 2, 3, 4], "no frame"), ([.. "TAPE"u8, .. new byte[500]], "no frame"), (Slow(endless), "sampling rate"), (MediaFiles.Read("mp3-32000-stereo.mp3"), "channels")])
        {
            using var mixed = new Mp3Decoder().Open((byte[])[.. endless, .. other]);
            Assert.Contains(error, Assert.Throws<InvalidDataException>(() => ReadAll(mixed, 1000)).Message, StringComparison.Ordinal);
        }

        static byte[] WithoutCount()
        {
            var (file, tag) = Tagged();
            file[tag + 7] = 0;
            return file;
        }

        // Its first frame is said to be of MPEG 2.5, of half the rate, in place of MPEG 2.
        static byte[] Slow(byte[] file)
        {
            byte[] slow = [.. file];
            slow[1] = (byte)(slow[1] & ~0x10);
            return slow;
        }
    }

    private static (byte[] File, int Tag) Tagged()
    {
        var file = MediaFiles.Read("mp3-22050-mono.mp3");
        return (file, Math.Max(file.AsSpan().IndexOf("Xing"u8), file.AsSpan().IndexOf("Info"u8)));
    }

    // A size of 2²⁸ − 1 in an ID3 tag, and files that are nothing but a beginning.
    [Fact]
    public void Beginnings_alone_are_refused()
    {
        foreach (var file in (byte[][])[[.. "ID3"u8], [.. "ID3"u8, 4, 0, 0, 0x7F, 0x7F, 0x7F, 0x7F, 0xFF, 0xFB], [0xFF, 0xFB, 0x90, 0x00], [0xFF, 0xFB, 0x00, 0x00, .. new byte[500]]])
        {
            using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", AudioDecoders = Decoders });
            var error = Assert.Throws<MASQuantException>(() => model.Encoder.Plan(new Prompt().Audio(file).Messages));
            Assert.Equal((DiagnosticCodes.AudioCorrupt, "audio 1"), (error.Code, error.File));
        }
    }

    private static float[] ReadAll(IAudioReader reader, int piece)
    {
        var (samples, buffer) = (new List<float>(), new float[piece]);
        while (reader.Read(buffer) is > 0 and var read)
        {
            Assert.Equal(0, read % reader.Channels);
            samples.AddRange(buffer.AsSpan(0, read));
        }

        return [.. samples];
    }
}
