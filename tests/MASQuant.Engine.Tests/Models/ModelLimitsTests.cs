using System.Buffers.Binary;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Audio;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>What a prompt asks for beyond the limits is refused before memory is taken, by the limit's name; what keeps them is answered as ever.</summary>
public sealed class ModelLimitsTests : IDisposable
{
    // Messages, lists of segments and headers; far below what any refused medium would take.
    private const long Bookkeeping = 300_000;

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pixels_of_an_image()
    {
        AssertLimit(DiagnosticCodes.ImageTooLarge, "ImagePixels", new Prompt().Image(PngFiles.Gray(280, 196)), most => new ModelLimits { ImagePixels = most }, 280 * 196);
        AssertLimit(DiagnosticCodes.ImageTooLarge, "ImagePixels", new Prompt().Image(JpegFiles.Progressive(280, 196, 63)), most => new ModelLimits { ImagePixels = most }, 280 * 196);
        AssertLimit(DiagnosticCodes.ImageTooLarge, "ImagePixels", new Prompt().Video([Write("frame.png", PngFiles.Gray(392, 280))]), most => new ModelLimits { ImagePixels = most }, 392 * 280);
    }

    [Fact]
    public void A_bomb_is_refused_by_default()
    {
        // 2.9 × 10⁸ pixels of a bit: 36 MB of zeros in 35 kB.
        byte[] header = [0, 0, 0x42, 0x68, 0, 0, 0x42, 0x68, 1, 0, 0, 0, 0];
        var side = BinaryPrimitives.ReadInt32BigEndian(header);
        var bomb = PngFiles.Of(header, PngFiles.Zlib(new byte[((side / 8) + 1) * side]));
        Assert.InRange(bomb.Length, 0, 50_000);
        using var model = Load(new ModelLimits());
        AssertRefused(model, new Prompt().Image(bomb), DiagnosticCodes.ImageTooLarge, "ImagePixels");
    }

    // A prompt's 1 × 1 picture is enlarged to what the model's files ask for.
    [Fact]
    public void Pixels_that_a_models_files_ask_for()
    {
        using var model = Load(new ModelLimits { ImagePixels = 56 * 56 }, ("preprocessor_config.json", "min_pixels", 1 << 20), ("preprocessor_config.json", "max_pixels", 1 << 30));
        var message = AssertRefused(model, new Prompt().Pixels(max: 1 << 30).Image(PngFiles.Gray(30, 30)), DiagnosticCodes.ImageTooLarge, "ImagePixels");
        Assert.Contains("resized", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_of_a_file()
    {
        var (png, wav) = (PngFiles.Gray(56, 56), WavFiles.Silence(16000));
        AssertLimit(DiagnosticCodes.MediumTooLarge, "MediumBytes", new Prompt().Image(Write("a.wav", wav)), most => new ModelLimits { MediumBytes = most }, wav.Length, answered: false);
        byte[] tail = [.. png, .. new byte[1 << 20]];
        AssertLimit(DiagnosticCodes.MediumTooLarge, "MediumBytes", new Prompt().Image(tail), most => new ModelLimits { MediumBytes = most }, tail.Length);

        // A later frame is read when its turn comes.
        var prompt = new Prompt().Video([Write("a.png", png), Write("b.png", tail)]);
        using var model = Load(new ModelLimits { MediumBytes = 1 << 20 });
        Assert.Equal(DiagnosticCodes.MediumTooLarge, Assert.Throws<MASQuantException>(() => model.Prepare(prompt)).Code);
    }

    // 84 × 56 pixels are 2 × 3 tokens of 4 patches; a patch is 14 × 14 pixels of 3 colours in 2 frames.
    [Fact]
    public void Bytes_of_patches()
        => AssertLimit(DiagnosticCodes.MediumTooLarge, "MediumBytes", new Prompt().Image(PngFiles.Gray(84, 56)), most => new ModelLimits { MediumBytes = most }, 2 * 3 * 4 * 14 * 14 * 3 * 2 * sizeof(float));

    // One sample at 1 kHz becomes 16.
    [Fact]
    public void Bytes_of_samples()
        => AssertLimit(DiagnosticCodes.MediumTooLarge, "MediumBytes", new Prompt().Audio(WavFiles.Silence(5000, rate: 1000)), most => new ModelLimits { MediumBytes = most }, (5000 * 17 * sizeof(float)) + (16 * 2 * 64 * sizeof(double))); // The last: weights of 16 places, 64 crossings a side.

    [Fact]
    public void Bytes_that_a_jpeg_is_decoded_to()
    {
        // 3 colours of 8 × 8 blocks, without subsampling: coefficients of 2 bytes, samples, pixels as stored and upright.
        var file = ImageFixture.Read("jpeg-baseline-444.jpg");
        var (width, height) = ImageDecoder.ReadExtents(file, null);
        var bytes = (((width + 7) / 8) * ((height + 7) / 8) * 64 * 3 * 3L) + (width * height * 6);
        _ = ImageDecoder.Decode(file, null, new ModelLimits { MediumBytes = bytes });
        Assert.Equal(DiagnosticCodes.MediumTooLarge, Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, null, new ModelLimits { MediumBytes = bytes - 1 })).Code);
    }

    [Fact]
    public void Bytes_that_a_png_is_decoded_to()
    {
        byte[] header = [0, 0, 1, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0];
        var data = PngFiles.Zlib(new byte[257 * 256]);
        var bytes = (256 * 256 * 6) + (2 * 256) + data.Length;
        _ = ImageDecoder.Decode(PngFiles.Of(header, data), null, new ModelLimits { MediumBytes = bytes });
        Assert.Equal(DiagnosticCodes.MediumTooLarge, Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(PngFiles.Of(header, data), null, new ModelLimits { MediumBytes = bytes - 1 })).Code);
    }

    [Fact]
    public void Seconds_of_a_clip()
    {
        AssertLimit(DiagnosticCodes.AudioTooLong, "AudioSeconds", new Prompt().Audio(WavFiles.Silence(2 * 16000)), most => new ModelLimits { AudioSeconds = most }, 2);
        using var model = Load(new ModelLimits { AudioSeconds = 2 });
        var longer = WavFiles.Silence((2 * 16000) + 1);
        AssertRefused(model, new Prompt().Audio(longer), DiagnosticCodes.AudioTooLong, "lasts 3 s");
        AssertRefused(model, new Prompt().Video([Write("frame.png", PngFiles.Gray(56, 56))], 2, Write("sound.wav", longer)), DiagnosticCodes.AudioTooLong, "lasts 3 s");
    }

    // A header's length is no promise: the bytes that there are count.
    [Fact]
    public void A_header_that_announces_more_than_there_is_costs_nothing()
    {
        var wav = WavFiles.Silence(1000);
        BinaryPrimitives.WriteInt32LittleEndian(wav.AsSpan(40), 0x7FFE_FFFF);
        using var model = Load(new ModelLimits());
        AssertRefused(model, new Prompt().Audio(wav), DiagnosticCodes.AudioCorrupt, "promises");
    }

    [Fact]
    public void Frames_of_a_video()
        => AssertLimit(DiagnosticCodes.MediumTooLarge, "VideoFrames", new Prompt().Video(Enumerable.Repeat(Write("frame.png", PngFiles.Gray(56, 56)), 4)), most => new ModelLimits { VideoFrames = most }, 4);

    [Fact]
    public void Tokens_of_a_prompt()
    {
        using var model = Load(new ModelLimits());
        var prompt = new Prompt().Text("What do you see?").Image(PngFiles.Gray(84, 56));
        AssertLimit(DiagnosticCodes.SequenceTooLong, "PromptTokens", prompt, most => new ModelLimits { PromptTokens = most }, model.Prepare(prompt).InputIds.Length);

        // Of its characters alone: below the model's positions, and above the limit.
        using var small = Load(new ModelLimits { PromptTokens = 100 });
        AssertRefused(small, new Prompt().Text(new string('a', 40_000)), DiagnosticCodes.SequenceTooLong, "characters, at least");
    }

    [Fact]
    public void The_limits_of_a_tool_are_the_models()
    {
        Assert.Equal(int.MaxValue, new ImageBudget().Limits.PromptTokens);
        Assert.Equal(new ModelLimits(), new ImageBudget().Limits with { PromptTokens = new ModelLimits().PromptTokens });
    }

    [Fact]
    public void Limits_have_ranges()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLimits { ImagePixels = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLimits { ImagePixels = (int.MaxValue / 3) + 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLimits { MediumBytes = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLimits { PromptTokens = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLimits { AudioSeconds = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLimits { VideoFrames = 0 });
    }

    [Fact]
    public void A_jpegs_scans_are_few_for_its_size()
    {
        // 64 visits of 4096 blocks are few, and of 262 144 more than 16 a block.
        Assert.All(ImageDecoder.Decode(JpegFiles.Progressive(512, 512, 63), null).Pixels, value => Assert.Equal(128, value));
        _ = ImageDecoder.Decode(JpegFiles.Progressive(4096, 4096, 15), null);
        var error = Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(JpegFiles.Progressive(4096, 4096, 16), null));
        Assert.Equal(DiagnosticCodes.ImageNotSupported, error.Code);
        Assert.Contains("scans", error.Message, StringComparison.Ordinal);
    }

    private void AssertLimit(string code, string name, Prompt prompt, Func<int, ModelLimits> limits, int most, bool answered = true)
    {
        using (var refusing = Load(limits(most - 1)))
        {
            AssertRefused(refusing, prompt, code, name);
        }

        if (answered)
        {
            using var model = Load(limits(most));
            Assert.NotEmpty(model.Prepare(prompt).InputIds);
        }
    }

    private static string AssertRefused(LoadedModel model, Prompt prompt, string code, string part)
    {
        var messages = prompt.Messages;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<MASQuantException>(() => model.Prepare(messages));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Bookkeeping);
        Assert.Equal(code, error.Code);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    private string Write(string name, byte[] content)
    {
        File.WriteAllBytes(_folder.File(name), content);
        return _folder.File(name);
    }

    private LoadedModel Load(ModelLimits limits, params (string File, string Member, int Value)[] changes)
    {
        var options = new ModelOptions { Device = "cpu", Limits = limits };
        if (changes.Length == 0)
        {
            return LoadedModel.Load(RepositoryFiles.OmniTiny, options);
        }

        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)), overwrite: true);
        }

        foreach (var (file, member, value) in changes)
        {
            var json = JsonNode.Parse(File.ReadAllText(_folder.File(file)))!;
            json[member] = value;
            File.WriteAllText(_folder.File(file), json.ToJsonString());
        }

        return LoadedModel.Load(_folder.Path, options);
    }
}
