using MASQuant.Diagnostics;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Vision.Images;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Media that the caller has decoded, or holds in memory: the prompt is that of the same content in a file, and is limited as it.</summary>
public sealed class DecodedMediaTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly string Picture = Golden.Load("omni/image-audio").Files[0];
    private static readonly string Sound = Golden.Load("omni/image-audio").Files[1];
    private static readonly string[] Frames = Golden.Load("omni/video").Files;

    [Fact]
    public async Task A_picture_is_that_of_its_file()
    {
        var file = await File.ReadAllBytesAsync(Picture);
        byte[] within = [1, 2, 3, .. file, 4];
        using var stream = new MemoryStream(file);
        using var slow = new DrippingStream(file, 1000);
        AssertEqual(
            new Prompt().Image(Picture),
            [new Prompt().Image(Decode(Picture)), new Prompt().Image(file), new Prompt().Image(within.AsMemory(3, file.Length)), new Prompt().Image(stream), await new Prompt().ImageAsync(slow)]);
    }

    [Theory]
    [InlineData(16000)]
    [InlineData(44100)]
    [InlineData(8000)]
    public async Task Sound_is_that_of_its_file(int rate)
    {
        // 16-bit PCM of one channel is its samples over 32 768, which floats hold exactly.
        var file = await File.ReadAllBytesAsync(Sound);
        Assert.Equal((1, 16, 16000), (file[22], file[34], BitConverter.ToInt32(file, 24)));
        BitConverter.TryWriteBytes(file.AsSpan(24), rate);
        float[] samples = [.. Enumerable.Range(0, (file.Length - 44) / 2).Select(i => BitConverter.ToInt16(file, 44 + (2 * i)) / 32768f)];
        using var stream = new MemoryStream(file);
        using var slow = new DrippingStream(file, 1000);
        AssertEqual(new Prompt().Audio(file), [new Prompt().Audio(samples, rate), new Prompt().Audio(file.AsMemory()), new Prompt().Audio(stream), await new Prompt().AudioAsync(slow)]);
    }

    [Fact]
    public async Task A_video_is_that_of_its_files()
    {
        var samples = AudioDecoder.Decode(await File.ReadAllBytesAsync(Sound), Sound); // At 16 kHz, as the file is.
        AssertEqual(
            new Prompt().Video(Frames, 4, Sound),
            [
                new Prompt().Video(new VideoPart([.. Frames.Select(frame => MediaSource.Pixels(Decode(frame)))], 4) { Sound = MediaSource.Samples(samples, 16000) }),
                new Prompt().Video(new VideoPart([.. Frames.Select(frame => MediaSource.Memory(File.ReadAllBytes(frame)))], 4) { Sound = MediaSource.Memory(await File.ReadAllBytesAsync(Sound)) }),
            ]);
        AssertEqual(new Prompt().Frames(max: 2).Pixels(max: 3136).Video(Frames, 4), [new Prompt().Frames(max: 2).Pixels(max: 3136).Video(new VideoPart([.. Frames.Select(frame => MediaSource.Pixels(Decode(frame)))], 4))]);
    }

    // What a medium is decides which kept prefixes serve it. These are resized to the same patches, and their pixels are the same bytes.
    [Fact]
    public void Pictures_of_other_extents_are_others()
    {
        var pixels = new byte[56 * 57 * 3];
        Assert.NotEqual(Hash(new Prompt().Image(new RgbImage(56, 57, pixels))), Hash(new Prompt().Image(new RgbImage(57, 56, pixels))));
        Assert.Equal(Hash(new Prompt().Image(new RgbImage(56, 57, pixels))), Hash(new Prompt().Image(new RgbImage(56, 57, [.. pixels]))));

        string Hash(Prompt prompt) => Assert.Single(omni.Model.Encoder.Plan(prompt.Messages).Identify(new ModelLimits()).Media).Hash;
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Samples_that_are_not_finite_are_refused(float sample)
    {
        var samples = new float[16000];
        samples[7] = sample;
        AssertRefused(DiagnosticCodes.AudioCorrupt, "sample 7 is not finite", "audio 1", new Prompt().Audio(samples, 16000));
        AssertRefused(DiagnosticCodes.AudioCorrupt, "sample 7 is not finite", "video 1, sound", new Prompt().Video(new VideoPart([MediaSource.File(Frames[0])], 2) { Sound = MediaSource.Samples(samples, 16000) }));
    }

    [Fact]
    public void Clips_that_are_none_are_refused()
    {
        AssertRefused(DiagnosticCodes.AudioCorrupt, "0 bytes of samples", "audio 1", new Prompt().Audio([], 16000));
        AssertRefused(DiagnosticCodes.AudioNotSupported, "999 Hz", "audio 1", new Prompt().Audio(new float[16000], 999));
        AssertRefused(DiagnosticCodes.AudioNotSupported, "2147483647 Hz", "audio 1", new Prompt().Audio(new float[16000], int.MaxValue));
        AssertRefused(DiagnosticCodes.AudioTooLong, "601 s", "audio 1", new Prompt().Audio(new float[(600 * 1000) + 1], 1000));
    }

    [Fact]
    public void Frames_are_named_by_their_places()
        => AssertRefused(DiagnosticCodes.ImageShapeNotSupported, "one size", "video 1, frame 2", new Prompt().Video(new VideoPart([MediaSource.Pixels(Black(56, 56)), MediaSource.Pixels(Black(56, 112))], 2)));

    [Fact]
    public void Pictures_are_limited_as_files_are()
    {
        using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", Limits = new ModelLimits { ImagePixels = (280 * 196) - 1 } });
        foreach (var prompt in (Prompt[])[new Prompt().Image(Black(280, 196)), new Prompt().Video(new VideoPart([MediaSource.Pixels(Black(280, 196))], 2))])
        {
            var error = Assert.Throws<MASQuantException>(() => model.Prepare(prompt));
            Assert.Equal(DiagnosticCodes.ImageTooLarge, error.Code);
            Assert.Contains("has 280 × 196", error.Message, StringComparison.Ordinal);
        }

        Assert.NotEmpty(model.Prepare(new Prompt().Image(Black(252, 196))).InputIds);
    }

    private static RgbImage Decode(string path) => ImageDecoder.Decode(File.ReadAllBytes(path), path);

    private static RgbImage Black(int width, int height) => new(width, height, new byte[width * height * 3]);

    private void AssertEqual(Prompt expected, Prompt[] others)
    {
        var options = new GenerationOptions { MaxTokens = 8 };
        var prepared = omni.Model.Prepare(expected.Text("What is it?"));
        var answer = string.Concat(omni.Model.Generate(expected, options));
        foreach (var other in others)
        {
            var actual = omni.Model.Prepare(other.Text("What is it?"));
            Assert.Equal(prepared.InputIds, actual.InputIds);
            Assert.True(prepared.InputEmbeddings.Span.SequenceEqual(actual.InputEmbeddings.Span));
            Assert.Equal(answer, string.Concat(omni.Model.Generate(other, options)));
        }
    }

    private void AssertRefused(string code, string part, string name, Prompt prompt)
    {
        var error = Assert.Throws<MASQuantException>(() => omni.Model.Prepare(prompt));
        Assert.Equal((code, name), (error.Code, error.File));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }
}
