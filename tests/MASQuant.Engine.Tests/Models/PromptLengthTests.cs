using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Audio;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>A prompt that is longer than the model's positions costs no memory for what it would become.</summary>
public sealed class PromptLengthTests(OmniFixture omni) : IClassFixture<OmniFixture>, IDisposable
{
    // omni-tiny's.
    private const int Positions = 4096;

    // Messages, lists of segments and tokens of the template; far below what any medium's pixels or samples take.
    private const long Bookkeeping = 200_000;

    private readonly TemporaryDirectory _folder = new();

    /// <summary>A million characters, of words, of letters of three bytes, of characters of two surrogates, and of a mark that makes one character of four.</summary>
    public static TheoryData<string> Units => ["seven four ", "字", "🙂", "ὑ\u0300", "a"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Units))]
    public void A_text_that_cannot_fit_is_not_tokenized(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, 1_000_000 / unit.Length));
        var (error, bytes) = Refused(new Prompt().Text(text));

        // Less than a copy of the text.
        Assert.InRange(bytes, 0, text.Length * sizeof(char) / 2);
        Assert.Contains("the model has 4096", error.Message, StringComparison.Ordinal);
        Assert.Contains("Shorten", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_of_too_many_tokens_is_not_embedded()
    {
        var text = string.Concat(Enumerable.Repeat("q7 ", 4000));
        var tokens = omni.Model.Tokenizer.Encode(text).Count;
        Assert.InRange(tokens, 2 * Positions, 4 * Positions);
        var (error, bytes) = Refused(new Prompt().Text(text));

        // Its embedding alone would be this; the text and its tokens are copied a few times.
        Assert.InRange(bytes, 0, (long)tokens * omni.Model.Config.Text.HiddenSize * sizeof(float) / 4);
        Assert.Matches($"has {tokens / 1000}[0-9]{{3}} tokens; the model has 4096 positions", error.Message);
    }

    [Fact]
    public void Media_are_counted_before_they_are_decoded()
    {
        var png = PngFiles.Gray(2400, 2400);
        var jpeg = JpegOf(3000, 3000);
        var wav = WavFiles.Silence(samples: 299 * 16000);
        foreach (var prompt in (Prompt[])[new Prompt().Pixels(max: 12845056).Image(png), new Prompt().Pixels(max: 12845056).Image(jpeg), new Prompt().Audio(wav)])
        {
            var (error, bytes) = Refused(prompt.Text("?"));
            Assert.InRange(bytes, 0, Bookkeeping);
            Assert.Matches("^(image|audio) 1: ", error.Message);
        }
    }

    [Fact]
    public void All_media_are_counted_before_the_first_is_decoded()
    {
        var small = PngFiles.Gray(1120, 1120);
        var (error, bytes) = Refused(new Prompt().Pixels(max: 12845056).Image(small).Image(PngFiles.Gray(2400, 2400)).Text("?"));
        Assert.InRange(bytes, 0, Bookkeeping);
        Assert.StartsWith("image 2: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Frames_are_counted_before_the_first_is_decoded()
    {
        var frame = _folder.File("frame.png");
        File.WriteAllBytes(frame, PngFiles.Gray(280, 280));
        var (_, bytes) = Refused(new Prompt().Video(Enumerable.Repeat(frame, 400)));

        // One frame's pixels, of four hundred.
        Assert.InRange(bytes, 0, Bookkeeping);
    }

    [Fact]
    public void A_later_frame_of_another_size_is_not_decoded()
    {
        string[] frames = [_folder.File("small.png"), _folder.File("large.png")];
        File.WriteAllBytes(frames[0], PngFiles.Gray(56, 56));
        File.WriteAllBytes(frames[1], PngFiles.Gray(4000, 4000));
        var prompt = new Prompt().Video(frames).Messages;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<MASQuantException>(() => omni.Model.Prepare(prompt));
        Assert.Equal((DiagnosticCodes.ImageShapeNotSupported, frames[1]), (error.Code, error.File));

        // The first frame's pixels, as stored and resized, are a fiftieth of the second's.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4000 * 4000 * 3 / 10);
    }

    [Theory]
    [InlineData("omni/text")]
    [InlineData("omni/image-audio")]
    [InlineData("omni/video")]
    public void A_prompt_as_long_as_the_models_positions_is_taken(string golden)
    {
        var prompt = GoldenPrompt.Of(Golden.Load(golden));
        var length = omni.Model.Prepare(prompt).InputIds.Length;
        using (var model = WithPositions(length))
        {
            Assert.Equal(length, model.Prepare(prompt).InputIds.Length);
        }

        using var smaller = WithPositions(length - 1);
        var error = Assert.Throws<MASQuantException>(() => smaller.Prepare(prompt));
        Assert.Equal(DiagnosticCodes.SequenceTooLong, error.Code);
        Assert.Contains($"{length}", error.Message, StringComparison.Ordinal);
    }

    private (MASQuantException Error, long Bytes) Refused(Prompt prompt)
    {
        var messages = prompt.Messages;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<MASQuantException>(() => omni.Model.Prepare(messages));
        Assert.Equal(DiagnosticCodes.SequenceTooLong, error.Code);
        return (error, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Another size in the frame's header: nothing but the header is to be read.
    private static byte[] JpegOf(int width, int height)
    {
        var file = ImageFixture.Read("jpeg-baseline-420.jpg");
        var frame = file.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]);
        (file[frame + 5], file[frame + 6], file[frame + 7], file[frame + 8]) = ((byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width);
        return file;
    }

    private LoadedModel WithPositions(int positions)
    {
        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)), overwrite: true);
        }

        var config = JsonNode.Parse(File.ReadAllText(_folder.File("config.json")))!;
        config["thinker_config"]!["text_config"]!["max_position_embeddings"] = positions;
        File.WriteAllText(_folder.File("config.json"), config.ToJsonString());
        return LoadedModel.Load(_folder.Path);
    }
}
