using System.Diagnostics;

namespace MASQuant.Tests;

/// <summary>The test assembly as a process of its own, its <c>Program</c>: for what the environment decides, and for what may end a process.</summary>
internal static class TestProcess
{
    /// <summary>Starts it; what it writes can be read.</summary>
    public static Process Start(string[] arguments, params (string Name, string Value)[] environment) => Start(arguments, errors: false, environment);

    /// <summary>What it writes; it must succeed.</summary>
    public static string Output(string[] arguments, params (string Name, string Value)[] environment)
    {
        using var child = Start(arguments, errors: true, environment);
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {child.ExitCode}.\n{output}\n{errors.Result}");
        return output;
    }

    private static Process Start(string[] arguments, bool errors, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(TestProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = errors };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
