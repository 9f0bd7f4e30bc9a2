using System.Text.RegularExpressions;
using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary><c>masquant tune</c> and the cache that builds and <c>quantize</c> share.</summary>
[Trait("Lane", "slow")]
public sealed class TuneCacheTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _calibration;

    public TuneCacheTests() => _calibration = CalibrationData.Write(_folder.Path, samples: 4);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Another_folder_gets_its_points_from_the_cache_and_so_does_the_printed_command()
    {
        var first = Tune("first");
        Assert.Equal(0, first.ExitCode);
        var points = Directory.GetDirectories(_folder.File("first/points")).Length;
        Assert.Equal(points, Regex.Count(first.Error, "(?m)^Point .*: finished"));
        Assert.Equal(new CacheCounters(0, 0, points), CacheCounters.Read(Cache));

        var second = Tune("second");
        Assert.Equal((0, first.Output), (second.ExitCode, second.Output));
        Assert.Equal((0, points), (Regex.Count(second.Error, "(?m)^Point .*: finished"), Regex.Count(second.Error, "(?m)^Point .*: taken from a cache.")));
        Assert.Equal(new CacheCounters(points, 0, points), CacheCounters.Read(Cache));

        var command = Regex.Match(first.Output, "^masquant (quantize .*) --output out$", RegexOptions.Multiline).Groups[1].Value;
        string[] arguments = [.. Regex.Matches(command, "\"([^\"]*)\"|(\\S+)").Select(part => part.Groups[1].Success ? part.Groups[1].Value : part.Groups[2].Value)];
        var quantized = CommandRun.Of([.. arguments, "--output", _folder.File("quantized"), "--cache", _folder.File("cache")]);
        Assert.Equal(0, quantized.ExitCode);
        Assert.StartsWith("VlTiny: taken from the shared cache, ", quantized.Error);
    }

    [Fact]
    public void A_cancelled_run_tells_where_everything_is_kept()
    {
        var run = CommandRun.CancelledAt("Point 1, ", Arguments("out"));
        Assert.Equal(130, run.ExitCode);
        Assert.Contains($"What is finished is kept in '{_folder.File("out")}' and '{Cache.Path}': the same command resumes.", run.Error);
    }

    private CacheFolder Cache => new(_folder.File("cache"));

    private CommandRun Tune(string output) => CommandRun.Of(Arguments(output));

    private string[] Arguments(string output)
        => ["tune", RepositoryFiles.VlTiny, "--calibration", _calibration, "--epochs", "0", "--max-bytes", "1330000", "--points", "2", "--output", _folder.File(output), "--cache", _folder.File("cache")];
}
