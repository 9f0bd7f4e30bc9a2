using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>Jobs as a scheduler runs them: processes of their own, one of which dies.</summary>
[Trait("Lane", "slow")]
public class JobProcessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Three_jobs_of_which_one_is_killed_and_repeated_give_the_bytes_of_three_unbroken_ones()
    {
        using var folder = new TemporaryDirectory();
        var (unbroken, killed) = (folder.File("unbroken"), folder.File("killed"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, CommandRun.Of(Command(unbroken, $"{i}/3")).ExitCode);
        }

        using var first = Start(Command(killed, "0/3"));
        using var victim = Start(Command(killed, "1/3"));
        while (await victim.StandardError.ReadLineAsync().WaitAsync(Limit) is { } line && !line.StartsWith("Block 3 of 6: finished", StringComparison.Ordinal))
        {
        }

        victim.Kill(); // SIGKILL: nothing is tidied.
        await victim.WaitForExitAsync().WaitAsync(Limit);
        Assert.NotEqual(0, victim.ExitCode);
        Assert.False(Directory.Exists(Path.Combine(killed, "OmniTiny.blocks-002-003.masquant.part")));
        await first.StandardError.ReadToEndAsync().WaitAsync(Limit);
        await first.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, first.ExitCode);

        Assert.Equal(0, CommandRun.Of(Command(killed, "2/3")).ExitCode);
        Assert.Equal(1, Join(killed, folder.File("early")).ExitCode);
        var repeated = CommandRun.Of(Command(killed, "1/3"));
        Assert.Equal(0, repeated.ExitCode);
        Assert.Contains("Block 3 of 6: finished by an earlier run.", repeated.Error);
        Assert.Contains("Block 4 of 6: finished, 100 % of the run.", repeated.Error);
        foreach (var part in Directory.EnumerateDirectories(unbroken, "*.masquant.part"))
        {
            Assert.Equal(PartsOfVlTiny.Content(part), PartsOfVlTiny.Content(Path.Combine(killed, Path.GetFileName(part))));
        }

        Assert.Equal((0, 0), (Join(unbroken, folder.File("a")).ExitCode, Join(killed, folder.File("b")).ExitCode));
        Assert.Equal(PartsOfVlTiny.Content(folder.File("a")), PartsOfVlTiny.Content(folder.File("b")));
    }

    private static CommandRun Join(string parts, string output) => CommandRun.Of("join", RepositoryFiles.OmniTiny, parts, "--output", output);

    private static string[] Command(string output, string blocks)
        => ["quantize", RepositoryFiles.OmniTiny, "--effort", "Fast", "--calibration", RepositoryFiles.Data("calibration.jsonl"), "--output", output, "--blocks", blocks];

    private static Process Start(string[] args)
        => Process.Start(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. args]) { RedirectStandardError = true })!;
}
