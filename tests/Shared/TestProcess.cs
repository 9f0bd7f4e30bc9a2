using System.Diagnostics;

namespace MASQuant.Tests;

/// <summary>The test assembly as a process of its own, its <c>Program</c>: for what the environment decides, and for what may end a process.</summary>
internal static class TestProcess
{
    /// <summary>Starts it; what it writes can be read.</summary>
    public static Process Start(string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(TestProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>What it writes; it must succeed.</summary>
    public static string Output(string[] arguments, params (string Name, string Value)[] environment)
    {
        using var child = Start(arguments, environment);
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        return output;
    }
}
