using System.Runtime.Versioning;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Repository;

/// <summary><c>.ci/run</c>, run with a <c>dotnet</c> that only says what it was asked.</summary>
[UnsupportedOSPlatform("windows")] // a shell script
public sealed class ContinuousIntegrationTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [Fact]
    public void It_checks_the_format_and_runs_the_command_of_the_readme()
    {
        var (exitCode, output, asked) = Run("true", "echo 'Passed!  - Failed:     0, Passed:   150, Skipped:     2, Total:   152'; echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'");
        Assert.Equal(0, exitCode);
        Assert.Equal(["format MASQuant.sln --verify-no-changes", "test -c Release"], asked);
        Assert.Contains("\n    dotnet test -c Release ", File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md")));
        Assert.EndsWith("\n157 passed, 0 failed, 2 skipped\n", output);
    }

    [Fact]
    public void The_build_script_runs_it_and_has_no_commands_of_its_own()
    {
        var script = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "build", "build.cake"));
        Assert.Contains("Task(\"ci\").Does(() => Run(\"bash\", $\"\\\"{root}/.ci/run\\\"\"", script);
        Assert.All(["DotNetTest(", "DotNetFormat("], command => Assert.DoesNotContain(command, script));
    }

    [Theory]
    [InlineData("true", "echo 'Failed!  - Failed:     3, Passed:     4, Skipped:     1, Total:     8'; exit 1", "4 passed, 3 failed, 1 skipped")]
    [InlineData("true", "echo 'error CS1002: ; expected'; exit 1", "0 passed, 1 failed, 0 skipped")] // it does not compile
    [InlineData("exit 2", "echo 'Passed!  - Failed:     0, Passed:     7, Skipped:     0, Total:     7'", "0 passed, 1 failed, 0 skipped")]
    public void Whatever_fails_is_in_the_last_line(string format, string test, string lastLine)
    {
        var (exitCode, output, _) = Run(format, test);
        Assert.Equal((1, lastLine), (exitCode, output.TrimEnd('\n').Split('\n')[^1]));
    }

    public void Dispose() => _folder.Dispose();

    private (int ExitCode, string Output, string[] Asked) Run(string format, string test)
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
        File.SetUnixFileMode(_folder.File("dotnet"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var (exitCode, output) = Command.Run(_folder.Path, "bash", [Path.Combine(RepositoryFiles.Root, ".ci", "run")], new Dictionary<string, string?> { ["PATH"] = _folder.Path + ":" + Environment.GetEnvironmentVariable("PATH") });
        return (exitCode, output, File.ReadAllLines(asked));
    }
}
