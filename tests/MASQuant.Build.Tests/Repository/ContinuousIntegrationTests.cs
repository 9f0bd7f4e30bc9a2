using System.Runtime.Versioning;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Repository;

/// <summary><c>.ci/run</c>, run with a <c>dotnet</c> that only says what it was asked, and a lane of ARM64 that only says how it ended.</summary>
[UnsupportedOSPlatform("windows")] // a shell script
public sealed class ContinuousIntegrationTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [Fact]
    public void It_checks_the_format_and_runs_the_command_of_the_readme()
    {
        var (exitCode, output, asked) = Run("true", "echo 'Passed!  - Failed:     0, Passed:   150, Skipped:     2, Total:   152'; echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'", "echo 'arm64: Passed: 5, Failed: 0, Skipped: 1'");
        Assert.Equal(0, exitCode);
        Assert.Equal(["format MASQuant.sln --verify-no-changes", "test -c Release"], asked);
        Assert.Contains("\n    dotnet test -c Release ", File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md")));
        Assert.EndsWith("\n162 passed, 0 failed, 3 skipped\n", output);
    }

    [Fact]
    public void The_build_script_runs_it_and_has_no_commands_of_its_own()
    {
        var script = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "build", "build.cake"));
        Assert.Contains("Task(\"ci\").Does(() => Run(\"bash\", $\"\\\"{root}/.ci/run\\\"\"", script);
        Assert.All(["DotNetTest(", "DotNetFormat("], command => Assert.DoesNotContain(command, script));
    }

    [Theory]
    [InlineData("true", "echo 'Failed!  - Failed:     3, Passed:     4, Skipped:     1, Total:     8'; exit 1", "echo 'arm64: Passed: 5, Failed: 0, Skipped: 0'", "9 passed, 3 failed, 1 skipped")]
    [InlineData("true", "echo 'error CS1002: ; expected'; exit 1", "true", "0 passed, 1 failed, 0 skipped")] // it does not compile
    [InlineData("exit 2", "echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'", "true", "0 passed, 1 failed, 0 skipped")]
    [InlineData("true", "echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'", "echo 'arm64: Passed: 5, Failed: 2, Skipped: 0'; exit 1", "12 passed, 2 failed, 0 skipped")]
    [InlineData("true", "echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'", "exit 3", "7 passed, 1 failed, 0 skipped")]
    public void Whatever_fails_is_in_the_last_line(string format, string test, string emulated, string lastLine)
    {
        var (exitCode, output, _) = Run(format, test, emulated);
        Assert.Equal((true, lastLine), (exitCode != 0, output.TrimEnd('\n').Split('\n')[^1]));
    }

    [Fact]
    public void A_lane_that_has_no_time_left_is_skipped_and_not_passed()
    {
        var (exitCode, output, _) = Run("true", "echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'", "exit 124");
        Assert.Equal((0, "7 passed, 0 failed, 1 skipped"), (exitCode, output.TrimEnd('\n').Split('\n')[^1]));
    }

    public void Dispose() => _folder.Dispose();

    private (int ExitCode, string Output, string[] Asked) Run(string format, string test, string emulated)
    {
        var asked = _folder.File("asked");
        File.WriteAllText(_folder.File("dotnet"), $"""
            #!/bin/sh
            echo "$*" >> '{asked}'
            case $1 in
              format) {format} ;;
              test) {test} ;;
            esac
            """);
        File.WriteAllText(_folder.File("bash"), $"#!/bin/sh\n{emulated}\n"); // what .ci/run calls the lane by
        foreach (var name in new[] { "dotnet", "bash" })
        {
            File.SetUnixFileMode(_folder.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var (exitCode, output) = Command.Run(_folder.Path, "bash", [Path.Combine(RepositoryFiles.Root, ".ci", "run")], new Dictionary<string, string?> { ["PATH"] = _folder.Path + ":" + Environment.GetEnvironmentVariable("PATH") });
        return (exitCode, output, File.ReadAllLines(asked));
    }
}
