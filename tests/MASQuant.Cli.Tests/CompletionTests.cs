using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>What shells are told when the tab key is pressed, by processes as shells start them.</summary>
public sealed class CompletionTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly TemporaryDirectory _folder = new();

    public CompletionTests()
    {
        Directory.CreateDirectory(_folder.File("models/omni"));
        File.WriteAllText(_folder.File("models/omni/.hidden"), "");
        File.WriteAllText(_folder.File("models/my data.jsonl"), "");
        File.WriteAllText(_folder.File("models/other.jsonl"), "");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("qu", "quantize")]
    [InlineData("co", "compare", "completion")]
    [InlineData("help in", "inspect")]
    [InlineData("cache ", "clean", "stats", "verify")]
    [InlineData("quantize x --sche", "--scheme")]
    [InlineData("quantize x --effort ", "Best", "Fast", "Standard")]
    [InlineData("run x --sampling R", "Recommended")]
    [InlineData("serve x --device c", "cpu", "cuda")]
    [InlineData("inspect models/", "models/my data.jsonl", "models/omni/", "models/other.jsonl")]
    [InlineData("quantize x --output models/", "models/omni/")]
    [InlineData("run x --image models/oth", "models/other.jsonl")]
    [InlineData("inspect models/omni/")]
    [InlineData("inspect nowhere/")]
    [InlineData("run x --temperature ")]
    public void Words_that_go_on_as_was_begun(string line, params string[] expected)
        => Assert.Equal(expected.Order(StringComparer.Ordinal), Suggested(line, line.Length));

    [Fact]
    public void Schemes_are_those_that_there_are()
    {
        string[] schemes = [.. QuantizationScheme.All.Select(scheme => scheme.ToString()).Order(StringComparer.Ordinal)];
        Assert.Equal(schemes, Suggested("quantize --scheme ", 18));
        Assert.Equal(schemes.Where(scheme => scheme != "W8A8").Select(scheme => "W8A8," + scheme), Suggested("tune x --schemes W8A8,", 22));
    }

    [Fact]
    public void What_stands_behind_the_cursor_is_left_alone() => Assert.Equal(["quantize"], Suggested("qu --output out", 2));

    [SkippableTheory]
    [InlineData("bash")]
    [InlineData("zsh")]
    public void A_shell_that_has_read_the_script_completes(string shell)
    {
        Skip.If(OperatingSystem.IsWindows() || !File.Exists(Path.Combine("/usr/bin", shell)), $"There is no {shell}.");
        var command = _folder.File("masquant");
        File.WriteAllText(command, $"#!/bin/sh\nexec dotnet '{typeof(CommandLine).Assembly.Location}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        // As a shell calls what 'complete' registered.
        File.WriteAllText(_folder.File("press.sh"), """
            . "$1"
            COMP_LINE="masquant $2" COMP_POINT=$(( ${#2} + 9 )) COMP_WORDS=(masquant $2) COMP_CWORD=1
            [ -n "$ZSH_VERSION" ] && setopt ksh_arrays
            _masquant
            printf '%s\n' "${COMPREPLY[@]}"
            """);
        File.WriteAllText(_folder.File("script"), CommandRun.Of("completion").Output);
        Assert.Equal(["quantize"], Press("qu"));
        Assert.Equal(["Best", "Fast", "Standard"], Press("quantize x --effort "));
        Assert.Equal(["models/my data.jsonl", "models/omni/", "models/other.jsonl"], Press("inspect models/"));

        string[] Press(string line) => Lines(new ProcessStartInfo(shell, [.. shell == "zsh" ? ["-f"] : Array.Empty<string>(), _folder.File("press.sh"), "./script", line]) { Environment = { ["PATH"] = $"{_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}" } });
    }

    private string[] Suggested(string line, int place) => Lines(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, $"[suggest:{place}]", line]));

    private string[] Lines(ProcessStartInfo start)
    {
        (start.WorkingDirectory, start.RedirectStandardOutput) = (_folder.Path, true);
        using var process = Process.Start(start)!;
        var answer = process.StandardOutput.ReadToEndAsync();
        Assert.True(process.WaitForExit(Limit));
        Assert.Equal(0, process.ExitCode);
        return answer.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
