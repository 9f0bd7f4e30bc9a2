using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>A quantization in a process of its own, whose environment takes instruction sets or threads away.</summary>
internal static class TinyRunProcess
{
    /// <summary>The run's hash.</summary>
    /// <param name="options">As Key=Value.</param>
    /// <param name="variable">What is set in its environment, and to which value.</param>
    /// <param name="left">What the process must say is left of the machine, so that a variable without effect is noticed.</param>
    public static string Hash(IEnumerable<string> options, (string Name, string Value) variable, string left)
    {
        var lines = TestProcess.Output(["hash", .. options], variable).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(left, lines[0], StringComparison.Ordinal);
        return lines[^1].Trim();
    }
}
