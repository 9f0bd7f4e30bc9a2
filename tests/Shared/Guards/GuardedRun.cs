namespace MASQuant.Tests.Guards;

/// <summary>Runs a kernel through its shapes on guarded buffers, in a process of its own. Each shape is written before it is run: of a process that ends, the last line names it.</summary>
internal static class GuardedRun
{
    /// <summary>Runs one kernel on both sides.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kernel">Takes what gives buffers, and an action that is told a shape before it is run.</param>
    public static void Run(string name, Action<GuardedMemory, Action<string>> kernel)
    {
        var count = 0;
        foreach (var side in Enum.GetValues<GuardSide>())
        {
            using var memory = new GuardedMemory(side);
            kernel(memory, shape =>
            {
                memory.Release(); // What the shape before had.
                Console.WriteLine($"{name}, guard {side}: {shape}");
                Console.Out.Flush();
                count++;
            });
        }

        Console.WriteLine(count);
    }

    /// <summary>The shapes of a run of the test assembly's program, which must get through all of them.</summary>
    public static int Shapes(string name, string switchedOff)
    {
        using var child = TestProcess.Start(["guard", name], switchedOff.Length == 0 ? [] : [("DOTNET_Enable" + switchedOff, "0")]);
        var output = child.StandardOutput.ReadToEnd().TrimEnd();
        child.WaitForExit();
        var last = output[(output.LastIndexOf('\n') + 1)..];
        Assert.True(child.ExitCode == 0, $"Exit code {child.ExitCode} at {last} (without {switchedOff})");
        return int.Parse(last, System.Globalization.CultureInfo.InvariantCulture);
    }
}
