using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MASQuant.Cli.Commands;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class RunCommandTests
{
    [Fact]
    public void Media_keep_the_order_of_the_command_line()
    {
        using var folder = new TemporaryDirectory();
        string[] frames = [folder.File("01.png"), folder.File("02.JPG"), folder.File("10.jpeg")];
        foreach (var file in frames.Append(folder.File("notes.txt")).Reverse())
        {
            File.WriteAllText(file, "");
        }

        var switches = new MediaSwitches();
        var root = new RootCommand { new Argument<string>("TEXT"), new Option<int>("--max-tokens") };
        switches.AddTo(root);
        var parse = root.Parse(["--audio", "1.wav", "--image", "2.png", "--video", folder.Path, "--max-tokens", "3", "--sound", "3.wav", "--image=4.png", "What?", $"--video={folder.Path}", "--audio", "5.wav", "--fps", "0.5"]);
        Assert.Empty(parse.Errors);
        var content = RunCommand.PromptOf("Be brief.", parse, switches, "What?").Messages;
        Assert.Equal([ChatRole.System, ChatRole.User], content.Select(message => message.Role));
        Assert.Equal(
            ["audio 1.wav", "image 2.png", $"video {string.Join(' ', frames)} at 0.5 with 3.wav", "image 4.png", $"video {string.Join(' ', frames)} at 0.5 with ", "audio 5.wav", "What?"],
            content[1].Content.Select(part => part switch
            {
                ImagePart image => "image " + image.Source.Path,
                AudioPart audio => "audio " + audio.Source.Path,
                VideoPart video => string.Create(CultureInfo.InvariantCulture, $"video {string.Join(' ', video.Frames.Select(frame => frame.Path))} at {video.FramesPerSecond} with {video.Sound?.Path}"),
                _ => ((TextPart)part).Text,
            }));
    }

    [Fact]
    public void Answers_like_the_reference()
    {
        var golden = Golden.Load("omni/image-audio");
        var media = golden.Files.SelectMany(file => new[] { file.EndsWith(".wav", StringComparison.Ordinal) ? "--audio" : "--image", file });
        var run = CommandRun.Of(["run", RepositoryFiles.OmniTiny, .. media, UserText(golden.Prompt)]);
        Assert.Equal((0, golden.GreedyText.Replace("<|im_end|>", "", StringComparison.Ordinal) + "\n"), (run.ExitCode, run.Output));
        Assert.Matches(@"^\d+ prompt tokens; \d+ generated, the first after .*\.\n$", run.Error);
    }

    [Fact]
    public void Thought_goes_beside_the_answer()
    {
        using var folder = new TemporaryDirectory();
        var model = ThinkingCheckpoint.Write(folder.File("model"), ["I look", " at it", "</think>", ThinkingCheckpoint.Closed], ["No", "on."]);
        var plain = CommandRun.Of("run", model, "Now?");
        Assert.Equal((0, "Noon.\n"), (plain.ExitCode, plain.Output));
        Assert.Matches(@"^\d+ prompt tokens; 3 generated", plain.Error);

        var run = CommandRun.Of("run", model, "Now?", "--think");
        Assert.Equal((0, "Noon.\n"), (run.ExitCode, run.Output));
        Assert.Matches(@"^I look at it\n\d+ prompt tokens; 7 generated", run.Error);

        // In a terminal, where both are shown.
        using var both = new StringWriter { NewLine = "\n" };
        CommandLine.Run(["run", model, "Now?", "--think"], new CommandConsole(both, both, errorIsTerminal: false), default);
        Assert.StartsWith("I look at it\nNoon.\n", both.ToString(), StringComparison.Ordinal);

        var cut = CommandRun.Of("run", model, "Now?", "--think", "--max-tokens", "2");
        Assert.Equal((0, "\n"), (cut.ExitCode, cut.Output));
        Assert.Matches(@"^I look at it\n\d+ prompt tokens; 2 generated.*\n.*--max-tokens 2", cut.Error);

        foreach (var thinks in (string[][])[["--think"], []])
        {
            using var json = JsonDocument.Parse(CommandRun.Of(["run", model, "Now?", "--json", .. thinks]).Output);
            Assert.Equal("Noon.", json.RootElement.GetProperty("text").GetString());
            Assert.Equal(thinks.Length > 0, json.RootElement.TryGetProperty("thought", out var thought));
            Assert.Equal(thinks.Length > 0 ? "I look at it" : null, thinks.Length > 0 ? thought.GetString() : null);
        }
    }

    [SkippableFact]
    public void A_trained_model_thinks_as_it_does_itself()
    {
        using var folder = new TemporaryDirectory();
        var path = ThinkingCheckpoint.WriteTrained(folder.File("trained"));
        using var model = LoadedModel.Load(path);
        var pieces = model.GeneratePieces(new Prompt().Text("Read the digits."), new GenerationOptions { Thinks = true, MaxTokens = 12 }).ToArray();
        using var json = JsonDocument.Parse(CommandRun.Of("run", path, "Read the digits.", "--think", "--json", "--max-tokens", "12").Output);
        Assert.Equal(string.Concat(pieces.Select(piece => piece.Thought)), json.RootElement.GetProperty("thought").GetString());
        Assert.Equal(string.Concat(pieces.Select(piece => piece.Text)), json.RootElement.GetProperty("text").GetString());
    }

    [Fact]
    public void A_model_that_does_not_think_says_which_would()
    {
        var run = CommandRun.Of("run", RepositoryFiles.VlTiny, "Now?", "--think");
        Assert.Equal((1, ""), (run.ExitCode, run.Output.Trim()));
        Assert.Contains("error MASQ0904: The model is to think before it answers, and Qwen2.5-VL models do not. Ask it without thought, or use a Qwen3.5 model.", run.Error, StringComparison.Ordinal);
    }

    // A video that the tiny model was trained to hear is none; that its sound is heard shows in the count of tokens, 25 a second.
    [Fact]
    public void A_folder_is_a_video_and_may_have_a_sound()
    {
        using var folder = new TemporaryDirectory();
        var files = Golden.Load("omni/video").Files;
        foreach (var (number, frame) in files.Concat(files).Index()) // eight, four seconds
        {
            File.Copy(frame, folder.File($"{number}.png"));
        }

        string[] run = ["run", RepositoryFiles.OmniTiny, "--video", folder.Path, "What?", "--max-tokens", "1"];
        var sound = Golden.Load("omni/audio");
        var silent = PromptTokens(run);
        Assert.Equal(silent + 2 + sound.Integers("input_ids").Count(id => id == 1203), PromptTokens([.. run, "--sound", sound.Files[0]]));

        Assert.Equal(silent, PromptTokens([.. run, "--max-frames", "8"]));
        Assert.InRange(PromptTokens([.. run, "--max-frames", "4"]), 1, silent - 1);
        Assert.Equal(PromptTokens([.. run, "--max-frames", "4"]), PromptTokens([.. run, "--max-frames-per-second", "1"]));
        Assert.Equal(2, CommandRun.Of([.. run, "--max-frames-per-second", "0"]).ExitCode);

        var misplaced = CommandRun.Of([.. run, "--image", "a.png", "--sound", sound.Files[0]]);
        Assert.Equal(2, misplaced.ExitCode);
        Assert.Contains("follows no '--video'", misplaced.Error, StringComparison.Ordinal);

        using var empty = new TemporaryDirectory();
        Assert.All([CommandRun.Of("run", RepositoryFiles.OmniTiny, "--video", empty.Path, "?"), CommandRun.Of("run", RepositoryFiles.OmniTiny, "--video", folder.File("no"), "?")], refused =>
        {
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("error MASQ0101", refused.Error, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Switches_win_over_what_the_model_recommends()
    {
        using var folder = new TemporaryDirectory();
        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, folder.File(Path.GetFileName(file)));
        }

        File.WriteAllText(folder.File("generation_config.json"), """{"do_sample": true, "temperature": 40, "top_k": 0, "repetition_penalty": 0.01, "eos_token_id": [1200, 1201]}""");
        using var model = LoadedModel.Load(folder.Path, new ModelOptions { Device = "cpu" });
        var prompt = new Prompt().Text("Quote a verse.");
        var recommended = model.RecommendedOptions with { MaxTokens = 8 };
        Assert.Equal(Answer(recommended), Run("--sampling", "recommended"));
        Assert.Equal(Answer(recommended with { Temperature = 0 }), Run("--sampling", "Recommended", "--temperature", "0"));
        Assert.Equal(Answer(recommended with { Seed = 5, RepetitionPenalty = 1, MinP = 0.2 }), Run("--sampling", "Recommended", "--seed", "5", "--repetition-penalty", "1", "--min-p", "0.2"));
        Assert.Equal(Answer(new() { MaxTokens = 8 }), Run());
        Assert.Equal(Answer(new() { MaxTokens = 8, FrequencyPenalty = -2, PresencePenalty = -2 }), Run("--frequency-penalty", "-2", "--presence-penalty=-2"));
        Assert.Equal(5, new[] { Run("--sampling", "Recommended"), Run("--sampling", "Recommended", "--temperature", "0"), Run("--sampling", "Recommended", "--seed", "5", "--repetition-penalty", "1", "--min-p", "0.2"), Run(), Run("--frequency-penalty", "-2", "--presence-penalty=-2") }.Distinct().Count());

        var stop = Run()[2..5];
        File.WriteAllText(folder.File("generation_config.json"), JsonSerializer.Serialize(new { eos_token_id = new[] { 1200, 1201 }, max_new_tokens = 3, stop_strings = stop }));
        Assert.Equal(Answer(new() { MaxTokens = 8, StopStrings = [stop] }), Run("--sampling", "Recommended"));
        Assert.Equal(Run(), Run("--sampling", "Recommended", "--stop", "none of it"));
        Assert.Equal(Answer(new() { MaxTokens = 3 }), CommandRun.Of("run", folder.Path, "Quote a verse.", "--sampling", "Recommended", "--stop", "none of it").Output);

        string Answer(GenerationOptions options) => string.Concat(model.Generate(prompt, options)) + "\n";

        string Run(params string[] switches) => CommandRun.Of(["run", folder.Path, "Quote a verse.", "--max-tokens", "8", .. switches]).Output;
    }

    [Fact]
    public void An_answer_that_is_cut_off_says_so()
    {
        var whole = CommandRun.Of("run", RepositoryFiles.OmniTiny, "Quote a verse.", "--max-tokens", "5");
        Assert.EndsWith("The answer may be cut off: it has --max-tokens 5.\n", whole.Error);

        var answer = whole.Output.TrimEnd('\n');
        var stopped = CommandRun.Of("run", RepositoryFiles.OmniTiny, "Quote a verse.", "--max-tokens", "5", "--stop", "nowhere", "--stop", answer[3..]);
        Assert.Equal((answer[..3] + "\n", 0), (stopped.Output, stopped.ExitCode));
        Assert.DoesNotContain("cut off", stopped.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_keep_as_many_pixels_as_are_asked_for()
    {
        string[] run = ["run", RepositoryFiles.VlTiny, "--image", RepositoryFiles.Data("media/calib-ocr-025.png"), "What?", "--max-tokens", "1"];
        var usual = PromptTokens(run);
        Assert.Equal(usual - (5 * 3) + (2 * 1), PromptTokens([.. run, "--max-pixels", "3136"])); // 140 × 84 pixels, ÷ √(11760 / 3136) = 1.94, then down
        Assert.Equal(usual - (5 * 3) + (13 * 8), PromptTokens([.. run, "--min-pixels", "78400"])); // × √(78400 / 11760) = 2.58, then up: 12.9 → 13, 7.7 → 8
    }

    [Theory]
    [InlineData("-")]
    [InlineData("text", "--conversation", "-")]
    [InlineData("--conversation", "-", "--image", "a.png")]
    [InlineData("--conversation", "-", "--system", "Be brief.")]
    [InlineData]
    public void A_prompt_is_asked_for_once(params string[] words) => Assert.Equal(words is ["-"] ? 1 : 2, CommandRun.Of(["run", RepositoryFiles.VlTiny, .. words]).ExitCode); // Standard input is empty here.

    // `echo | masquant run MODEL -` asks as little as an empty pipe does.
    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void A_pipe_without_text_asks_nothing(string piped)
        => Assert.Equal("standard input: error MASQ0101: There is no text. Give the question, in UTF-8.\n", WithInput(new StringReader(piped)));

    // A folder as standard input, or a terminal that has gone; what the system says of it need not end with a full stop.
    [Fact]
    public void A_pipe_that_cannot_be_read_is_named()
        => Assert.Equal("standard input: error MASQ0101: The file cannot be read: Is a directory. Check the path and its permissions.\n", WithInput(new BrokenReader()));

    [Fact]
    public void A_conversation_that_is_none_is_named()
    {
        using var folder = new TemporaryDirectory();
        var file = folder.File("line.json");
        foreach (var (text, code) in ((string, string)[])[("", "MASQ0101"), ("{}", "MASQ0401"), ("""{"messages": [{"role": "assistant", "content": "1"}]}""", "MASQ0401"), ("""{"messages": [{"role": "user", "content": [{"type": "image", "image": "../a.png"}]}]}""", "MASQ0402"), (new string(' ', (1 << 24) + 1), "MASQ0101")])
        {
            File.WriteAllText(file, text);
            var run = CommandRun.Of("run", RepositoryFiles.VlTiny, "--conversation", file);
            Assert.Equal(1, run.ExitCode);
            Assert.StartsWith($"{file}: error {code}: ", run.Error, StringComparison.Ordinal);
        }

        Assert.StartsWith($"{folder.File("none")}: error MASQ0101: ", CommandRun.Of("run", RepositoryFiles.VlTiny, "--conversation", folder.File("none")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_image_is_named()
    {
        var run = CommandRun.Of("run", RepositoryFiles.VlTiny, "--image", "missing.png", "What is it?");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("missing.png: error MASQ0", run.Error);
    }

    private static string WithInput(TextReader input)
    {
        using var error = new StringWriter { NewLine = "\n" };
        Assert.Equal(1, CommandLine.Run(["run", RepositoryFiles.VlTiny, "-"], new CommandConsole(TextWriter.Null, error, errorIsTerminal: false) { Input = input }, default));
        return error.ToString();
    }

    private sealed class BrokenReader : TextReader
    {
        public override int Read(Span<char> buffer) => throw new IOException("Is a directory");

        public override int Read(char[] buffer, int index, int count) => throw new IOException("Is a directory");
    }

    private static int PromptTokens(string[] args) => int.Parse(CommandRun.Of(args).Error.Split(' ')[0], CultureInfo.InvariantCulture);

    // What follows the media in the user's turn of a rendered prompt.
    private static string UserText(string prompt)
    {
        var end = prompt.LastIndexOf("<|im_end|>\n<|im_start|>assistant", StringComparison.Ordinal);
        return prompt[(prompt.LastIndexOf("|>", end - 1, StringComparison.Ordinal) + 2)..end];
    }
}
