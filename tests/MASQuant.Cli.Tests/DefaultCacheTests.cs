using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>Which cache commands use on which nothing is said of one: a process each, because the environment decides.</summary>
[Trait("Lane", "slow")]
public class DefaultCacheTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("quantize", "--method", "RTN")]
    [InlineData("compare", "--methods", "RTN", "--schemes", "W4A8", "--limit", "1", "--no-generate")]
    [InlineData("tune", "--epochs", "0", "--max-bytes", "1330000", "--points", "1")]
    public async Task The_environment_names_the_cache_and_none_writes_none(string command, params string[] words)
    {
        using var folder = new TemporaryDirectory();
        var calibration = CalibrationData.Write(folder.File("data"), samples: 4);
        string[] data = command == "compare" ? [CalibrationData.Write(folder.File("data"), samples: 2, skip: 10, name: "eval.jsonl")] : [];
        string[] line = [command, RepositoryFiles.VlTiny, .. data, "--calibration", calibration, .. words, "--output"];

        Assert.Equal(0, await RunAsync(folder, [.. line, "none", "--cache", "none"]));
        Assert.False(Directory.Exists(folder.File("cache")));
        Assert.Equal(["data", "none"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        Assert.Equal(0, await RunAsync(folder, [.. line, "out"]));
        Assert.Single(Directory.EnumerateFiles(folder.File("cache/ac")));
    }

    private static async Task<int> RunAsync(TemporaryDirectory folder, string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. args]) { WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("MASQuantCache");
        start.Environment.Remove("MASQuantRemoteCache");
        start.Environment["MASQuantCacheDirectory"] = folder.File("cache");
        using var process = Process.Start(start)!;
        var (answer, messages) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(process.ExitCode == 0, await answer + await messages);
        return process.ExitCode;
    }
}
