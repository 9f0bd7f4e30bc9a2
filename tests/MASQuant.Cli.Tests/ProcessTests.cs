using System.Diagnostics;
using System.Runtime.InteropServices;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class ProcessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [SkippableFact]
    [Trait("Lane", "slow")]
    public async Task Interrupt_cancels_and_the_same_command_resumes()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no signals.");
        using var folder = new TemporaryDirectory();
        var output = folder.File("out");

        // Learning makes the blocks that are left long enough for the signal to arrive within them.
        string[] command =
        [
            "quantize", RepositoryFiles.VlTiny, "--epochs", "30", "--rank", "4", "--name", "Tiny",
            "--calibration", CalibrationData.Write(folder.Path, samples: 4), "--output", output,
        ];
        using var process = Start(command);
        var answer = process.StandardOutput.ReadToEndAsync();
        while (await process.StandardError.ReadLineAsync().WaitAsync(Limit) is { } line && !line.StartsWith("Block 1 of 3: finished", StringComparison.Ordinal))
        {
        }

        Assert.Equal(0, Kill(process.Id, Signal()));
        var rest = await process.StandardError.ReadToEndAsync().WaitAsync(Limit);
        await process.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal((130, ""), (process.ExitCode, await answer));
        Assert.EndsWith("the same command resumes.\nCancelled.\n", rest);
        Assert.Empty(Directory.EnumerateFiles(output));

        using var again = Start(command);
        var (resumedAnswer, messages) = (again.StandardOutput.ReadToEndAsync(), again.StandardError.ReadToEndAsync());
        await again.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal((0, Path.Combine(output, "Tiny.masquant.safetensors") + "\n"), (again.ExitCode, await resumedAnswer));
        Assert.Contains("Block 1 of 3: finished by an earlier run.", await messages);
        Assert.Equal(["Tiny.masquant.facts.json", "Tiny.masquant.json", "Tiny.masquant.safetensors", "Tiny.masquant.times.json"], Directory.EnumerateFileSystemEntries(output).Select(Path.GetFileName).Order());
    }

    // SIGINT; but a shell's background jobs, and what they start, ignore it: there SIGTERM, which means the same.
    private static int Signal()
    {
        const string Ignored = "SigIgn:";
        var status = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status") : [];
        var mask = status.Where(line => line.StartsWith(Ignored, StringComparison.Ordinal)).Select(line => Convert.ToUInt64(line[Ignored.Length..].Trim(), 16)).FirstOrDefault();
        return (mask & 2) == 0 ? 2 : 15;
    }

    // A process that sends signals might start later than the run ends.
    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static Process Start(string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }
}
