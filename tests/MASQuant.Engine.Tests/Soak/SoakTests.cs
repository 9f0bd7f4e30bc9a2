using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>A short soak: as many operations on every machine. The long one is the command, an hour by default.</summary>
[Trait("Lane", "soak")]
public sealed class SoakTests
{
    [SkippableFact]
    public void Four_thousand_operations_on_four_threads_leave_nothing_and_change_no_answer()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "The process is measured in /proc.");
        Assert.Contains("flat: ", TestProcess.Output(["soak", "--rounds", "20"]), StringComparison.Ordinal);
    }
}
