using MASQuant.Cli.Commands;
using MASQuant.Cli.Output;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class RunCommandTests
{
    [Fact]
    public void Media_keep_the_order_of_the_command_line()
    {
        var root = CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, false), default);
        var parse = root.Parse(["run", "model", "--audio", "1.wav", "--image", "2.png", "--max-tokens", "3", "--image=4.png", "What?", "--audio", "5.wav"]);
        var content = RunCommand.PromptOf("Be brief.", RunCommand.Media(parse), "What?").Messages;
        Assert.Equal([ChatRole.System, ChatRole.User], content.Select(message => message.Role));
        Assert.Equal(
            ["audio 1.wav", "image 2.png", "image 4.png", "audio 5.wav", "What?"],
            content[1].Content.Select(part => part switch
            {
                ImagePart image => "image " + image.Source.Path,
                AudioPart audio => "audio " + audio.Source.Path,
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
    public void Missing_image_is_named()
    {
        var run = CommandRun.Of("run", RepositoryFiles.VlTiny, "--image", "missing.png", "What is it?");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("missing.png: error MASQ0", run.Error);
    }

    // What follows the media in the user's turn of a rendered prompt.
    private static string UserText(string prompt)
    {
        var end = prompt.LastIndexOf("<|im_end|>\n<|im_start|>assistant", StringComparison.Ordinal);
        return prompt[(prompt.LastIndexOf("|>", end - 1, StringComparison.Ordinal) + 2)..end];
    }
}
