using System.Text.RegularExpressions;
using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary><c>masquant compare</c> and the cache that builds and <c>quantize</c> share.</summary>
public sealed class CompareCacheTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _calibration;
    private readonly string _data;

    public CompareCacheTests()
    {
        _calibration = CalibrationData.Write(_folder.Path, samples: 4);
        _data = CalibrationData.Write(_folder.Path, samples: 4, skip: 10, name: "eval.jsonl");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Another_folder_gets_its_artifacts_from_the_cache()
    {
        var first = CommandRun.Of(Compare("first"));
        Assert.Equal((0, 2), (first.ExitCode, Regex.Count(first.Error, ": quantized")));

        var second = CommandRun.Of(Compare("second"));
        Assert.Equal((0, first.Output), (second.ExitCode, second.Output));
        Assert.Equal((0, 2), (Regex.Count(second.Error, ": quantized"), Regex.Count(second.Error, ": taken from a cache.")));
        Assert.Contains("RTN_W4A8: taken from the shared cache, ", second.Error);
        Assert.All(["RTN_W4A8", "SmoothQuant_W4A8"], name => Assert.Equal(File.ReadAllBytes(Artifact("first", name)), File.ReadAllBytes(Artifact("second", name))));
        Assert.Equal(new CacheCounters(2, 0, 2), CacheCounters.Read(Cache));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Cache.Runs));

        // What lies there under its key is not even asked for.
        Assert.Equal(2, Regex.Count(CommandRun.Of(Compare("second")).Error, ": made by an earlier run."));
        Assert.Equal(new CacheCounters(2, 0, 2), CacheCounters.Read(Cache));
    }

    [Fact]
    public void Quantize_and_compare_give_each_other_what_they_made()
    {
        Assert.Equal(0, CommandRun.Of(Quantize("RTN")).ExitCode);
        var run = CommandRun.Of(Compare("out"));
        Assert.Matches("RTN W4A8: taken from a cache", run.Error);
        Assert.Matches("SmoothQuant W4A8: quantized", run.Error);
        Assert.StartsWith("SmoothQuant_W4A8: taken from the shared cache, ", CommandRun.Of(Quantize("SmoothQuant")).Error);
    }

    [Fact]
    public void A_cancelled_run_keeps_what_is_finished_for_every_folder()
    {
        Assert.Equal(130, CommandRun.CancelledAt("Model 1 of 2, SmoothQuant W4A8: quantized", Compare("out")).ExitCode);
        var other = CommandRun.Of(Compare("other"));
        Assert.Matches("Model 1 of 2, SmoothQuant W4A8: taken from a cache", other.Error);
        Assert.Matches("Model 2 of 2, RTN W4A8: quantized", other.Error);
        var resumed = CommandRun.Of(Compare("out"));
        Assert.Matches("Model 1 of 2, SmoothQuant W4A8: made by an earlier run", resumed.Error);
        Assert.Matches("Model 2 of 2, RTN W4A8: taken from a cache", resumed.Error);
        Assert.Equal((0, other.Output), (resumed.ExitCode, resumed.Output));
    }

    [Fact]
    public void An_artifact_that_quantize_put_in_its_place_is_not_taken_for_it()
    {
        CommandRun.Of(Compare("out"));
        var kept = File.ReadAllBytes(Artifact("out", "RTN_W4A8"));
        Assert.Equal(0, CommandRun.Of([.. Quantize("RTN", "out"), "--samples", "2"]).ExitCode);
        Assert.NotEqual(kept, File.ReadAllBytes(Artifact("out", "RTN_W4A8")));
        Assert.Matches("RTN W4A8: taken from a cache", CommandRun.Of(Compare("out")).Error);
        Assert.Equal(kept, File.ReadAllBytes(Artifact("out", "RTN_W4A8")));
    }

    [Fact]
    public void A_cache_that_cannot_be_used_is_a_warning_and_leaves_nothing_beside_the_artifacts()
    {
        File.WriteAllText(_folder.File("cache"), "a file where the folder should be");
        var run = CommandRun.Of(Compare("out"));
        Assert.Equal((0, 2), (run.ExitCode, Regex.Count(run.Error, ": quantized")));
        Assert.StartsWith("masquant: warning MASQ0930: ", run.Error);
        Assert.False(Directory.Exists(_folder.File("out/.masquant")));
        Assert.Equal(2, Regex.Count(CommandRun.Of(Compare("out")).Error, ": made by an earlier run."));
    }

    private CacheFolder Cache => new(_folder.File("cache"));

    private string Artifact(string output, string name) => _folder.File($"{output}/{name}.masquant.safetensors");

    private string[] Compare(string output)
        => ["compare", RepositoryFiles.VlTiny, _data, "--calibration", _calibration, "--output", _folder.File(output), "--methods", "SmoothQuant,RTN", "--schemes", "W4A8", "--limit", "1", "--no-generate", "--cache", _folder.File("cache")];

    private string[] Quantize(string method, string output = "quantized")
        => ["quantize", RepositoryFiles.VlTiny, "--calibration", _calibration, "--output", _folder.File(output), "--method", method, "--scheme", "W4A8", "--name", $"{method}_W4A8", "--cache", _folder.File("cache")];
}
