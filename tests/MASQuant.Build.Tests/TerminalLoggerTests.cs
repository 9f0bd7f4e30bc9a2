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
