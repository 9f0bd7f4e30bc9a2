using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>The samples for Slurm on a real one.</summary>
[Trait("Lane", "slurm")]
[UnsupportedOSPlatform("windows")]
public class SlurmTests
{
    [SkippableFact]
    public void An_array_of_which_a_task_is_requeued_and_a_join_behind_it_give_the_bytes_of_the_commands()
    {
        Skip.If(PrivateSlurm.Missing is not null, PrivateSlurm.Missing);
        using var sample = new ClusterSample(RepositoryFiles.OmniTiny, _ => RepositoryFiles.Data("calibration.jsonl"));
        using var slurm = PrivateSlurm.Start();
        string Log(object task) => Path.Combine(sample.Folder, $"{task}.log");
        string Submit(params string[] words)
        {
            var (exitCode, output) = slurm.Run(sample.Environment, "sbatch", ["--parsable", "--cpus-per-task=1", $"--output={Log("%a")}", .. words]);
            Assert.True(exitCode == 0, output);
            return output.Trim();
        }

        var array = Submit("--array=0-2", ClusterSample.PathOf("samples", "cluster", "slurm", "quantize.sbatch"));
        var join = Submit($"--dependency=afterok:{array}", $"--output={Log("join")}", ClusterSample.PathOf("samples", "cluster", "slurm", "join.sbatch"));
        slurm.WaitFor(() => Read(Log(1)).Contains("Block 3 of 6: finished", StringComparison.Ordinal));
        Assert.Equal(0, slurm.Run([], "scontrol", "requeue", $"{array}_1").ExitCode);
        slurm.WaitFor(() => Regex.IsMatch(slurm.Run([], "scontrol", "show", "job", join).Output, "JobState=(COMPLETED|FAILED)"));

        var logs = string.Join('\n', ((object[])[0, 1, 2, "join"]).Select(task => $"{task}:\n{Read(Log(task))}"));
        Assert.Contains("JobState=COMPLETED", slurm.Run([], "scontrol", "show", "job", join).Output);
        Assert.True(Read(Log(1)).Contains("Block 3 of 6: finished by an earlier run.", StringComparison.Ordinal), logs);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, CommandRun.Of("quantize", RepositoryFiles.OmniTiny, "--calibration", RepositoryFiles.Data("calibration.jsonl"), "--output", Path.Combine(sample.Folder, "own"), "--blocks", $"{i}/3").ExitCode);
        }

        Assert.Equal(0, CommandRun.Of("join", RepositoryFiles.OmniTiny, Path.Combine(sample.Folder, "own"), "--output", Path.Combine(sample.Folder, "joined")).ExitCode);
        Assert.Equal(PartsOfVlTiny.Content(Path.Combine(sample.Folder, "joined")), PartsOfVlTiny.Content(sample.Output));
    }

    private static string Read(string log) => File.Exists(log) ? File.ReadAllText(log) : "";
}
