using MASQuant.Tasks;

namespace MASQuant.Build.Tests;

/// <summary>What a person at a terminal sees while a model is quantized.</summary>
[Trait("Lane", "build")]
public class TerminalLoggerTests
{
    private static readonly string[] Shown = [ModelEvents.Started, ModelEvents.Quantized];

    [Fact]
    public void The_terminal_logger_shows_that_quantizing_begins_and_ends()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Quantize("-tl:on", "-v:minimal").MustSucceed();
        Assert.All(Shown, code => Assert.Contains(Assert.Single(log.TextsOf(code)), log.Output));
    }

    /// <summary>A terminal of its own, and not an option of ours: what a person gets who types dotnet build.</summary>
    [SkippableFact]
    public void A_terminal_shows_the_share_done_and_the_time_left_meanwhile()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "util-linux's script makes the terminal.");
        using var project = BuildCase.Open("OneModel");
        project.Write("model/model.safetensors", "slow");
        project.Environment["TERM"] = "xterm-256color";
        project.Environment["MSBUILDENSURESTDOUTFORTASKPROCESSES"] = null; // with it, which dotnet test sets, there is no terminal logger
        var file = project.InFolder("terminal.binlog");
        var (exitCode, output) = project.Run("/usr/bin/script", "-qfec", $"stty rows 40 cols 140 && exec dotnet build -nodeReuse:false '-bl:{file}'", "/dev/null");
        var log = new BuildLog(exitCode, output, [file]).MustSucceed();
        int[] places = [.. new[] { ModelEvents.Started, ModelEvents.Progress, ModelEvents.Quantized }.Select(code => output.IndexOf(log.TextsOf(code)[^1], StringComparison.Ordinal))];
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
        Assert.Contains("(75 %, 1 s left)", log.TextsOf(ModelEvents.Progress)[^1], StringComparison.Ordinal);
        Assert.Matches(@"\(\d+\.\ds\)", output[places[0]..places[1]]); // the terminal logger's clock goes on in between: nothing was held back
    }

    [Fact]
    public void Who_wants_a_quiet_terminal_says_so()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Quantize("-tl:on", "-v:minimal", "-p:MASQuantTerminalProgress=false").MustSucceed();
        Assert.All(Shown, code => Assert.DoesNotContain(Assert.Single(log.TextsOf(code)), log.Output));
    }

    [Fact]
    public void Other_loggers_get_plain_lines()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Quantize("-tl:off", "-v:minimal").MustSucceed();
        Assert.All(Shown, code => Assert.Contains(Assert.Single(log.TextsOf(code)), log.Output));
        Assert.DoesNotContain('\e', log.Output);
    }
}
