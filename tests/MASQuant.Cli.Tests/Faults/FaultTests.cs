using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>Files, memory and clocks that fail, and power that does, at some of all moments; <c>MASQUANT_FAULTS</c> says how many of each kind (<c>docs/robustness.md</c>). On one core: then which array is the n-th does not depend on threads.</summary>
public class FaultTests
{
    [Theory]
    [InlineData("quantize-empty", "3", "file", "disk")]
    [InlineData("quantize-full", "9", "file", "disk")]
    [InlineData("quantize-none", "3", "file", "memory", "clock-back", "clock-ahead")]
    [InlineData("build", "3", "file", "disk")]
    [InlineData("build-served", "9", "file", "disk")]
    [InlineData("load-artifact", "17", "file", "disk", "memory")]
    [InlineData("load-checkpoint", "17", "file", "disk", "memory")]
    [InlineData("answer", "17", "file", "memory")]
    public void After_a_failure_nothing_is_half_written_or_open_and_the_next_run_is_right(string run, string some, params string[] kinds) => Expect("faults", run, [.. kinds, Most(some)]);

    [Theory]
    [InlineData("cache")]
    [InlineData("none")]
    public void After_a_power_loss_cache_and_output_are_whole_or_empty_and_the_next_run_is_right(string cache) => Expect("power-loss", cache, [Most("4")]);

    private static string Most(string some) => Environment.GetEnvironmentVariable("MASQUANT_FAULTS") ?? some;

    private static void Expect(string command, string run, string[] more)
    {
        using var child = TestProcess.Start([command, run, .. more], ("DOTNET_PROCESSOR_COUNT", "1"));
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains(", 0 wrong, ", output, StringComparison.Ordinal); // It ran.
    }
}
