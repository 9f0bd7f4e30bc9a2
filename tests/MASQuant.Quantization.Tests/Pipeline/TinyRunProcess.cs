using System.Diagnostics;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>The test assembly as a process of its own (<see cref="Program"/>), whose environment may take instruction sets or threads away.</summary>
internal static class TinyRunProcess
{
    /// <summary>The run's hash.</summary>
    /// <param name="options">As Key=Value.</param>
    /// <param name="variable">What is set in its environment, and to which value.</param>
    /// <param name="left">What the process must say is left of the machine, so that a variable without effect is noticed.</param>
    public static string Hash(IEnumerable<string> options, (string Name, string Value) variable, string left)
    {
        var lines = Output(["hash", .. options], variable).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(left, lines[0], StringComparison.Ordinal);
        return lines[^1].Trim();
    }

    /// <summary>What the process writes; it must succeed.</summary>
    public static string Output(string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(TinyRunProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        return output;
    }
}
