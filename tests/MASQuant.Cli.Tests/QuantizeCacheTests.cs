using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary><c>masquant quantize</c> and the cache that builds share.</summary>
public class QuantizeCacheTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>
{
    [Fact]
    public void A_model_is_quantized_once_and_then_copied()
    {
        using var folder = new TemporaryDirectory();
        var cache = new CacheFolder(folder.File("cache"));
        var first = Run(folder, "first");
        Assert.Equal(0, first.ExitCode);
        Assert.Contains("Writing the artifact.", first.Error);
        AssertSameFiles(quantized.Folder, folder.File("first"));

        var second = Run(folder, "second");
        Assert.Equal((0, folder.File("second/Tiny.masquant.safetensors") + "\n"), (second.ExitCode, second.Output));
        Assert.StartsWith("Tiny: taken from the shared cache, ", second.Error);
        Assert.Contains("Tiny, W4A8 and W8A8 (7 of 21 layers): 1.8 MB → ", second.Error);
        Assert.DoesNotContain("Block ", second.Error);
        AssertSameFiles(quantized.Folder, folder.File("second"));
        Assert.Equal(new CacheCounters(1, 0, 1), CacheCounters.Read(cache));
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache.Runs));
    }

    [Fact]
    public void Whatever_shapes_the_artifact_makes_another_entry()
    {
        using var folder = new TemporaryDirectory();
        string[][] others = [[], ["--rank", "2"], ["--name", "Other"], ["--samples", "2"], ["--samples", "2", "--subset-seed", "1"]];
        Assert.All(others, other => Assert.DoesNotContain("taken from", Run(folder, "out", other).Error));
        Assert.Equal(others.Length, Directory.EnumerateFiles(new CacheFolder(folder.File("cache")).Actions).Count());
    }

    [Fact]
    public void A_cancelled_run_resumes_from_the_cache()
    {
        using var folder = new TemporaryDirectory();
        var cache = new CacheFolder(folder.File("cache"));
        var run = CommandRun.CancelledAt("Block 1 of 3: finished", Command(folder, "out"));
        Assert.Equal(130, run.ExitCode);
        var layers = Path.Combine(Assert.Single(Directory.EnumerateDirectories(cache.Runs)), "layers");
        Assert.Contains($"Finished blocks are kept in '{layers}': the same command resumes.\nCancelled.\n", run.Error);
        Assert.False(Directory.Exists(folder.File("out")));

        Assert.Contains("finished by an earlier run", Run(folder, "out").Error);
        AssertSameFiles(quantized.Folder, folder.File("out"));
    }

    [Fact]
    public void A_damaged_entry_is_a_warning_and_made_again()
    {
        using var folder = new TemporaryDirectory();
        Run(folder, "out");
        foreach (var content in Directory.EnumerateFiles(new CacheFolder(folder.File("cache")).Contents))
        {
            var bytes = File.ReadAllBytes(content);
            bytes[^1] ^= 1;
            File.WriteAllBytes(content, bytes);
        }

        var again = Run(folder, "again");
        Assert.Equal(0, again.ExitCode);
        Assert.StartsWith("masquant: warning MASQ0933: ", again.Error);
        Assert.Contains("Writing the artifact.", again.Error);
        AssertSameFiles(quantized.Folder, folder.File("again"));
    }

    [Fact]
    public void A_cache_that_cannot_be_used_is_a_warning()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("cache"), "a file where the folder should be");
        var run = Run(folder, "out");
        Assert.Equal((0, folder.File("out/Tiny.masquant.safetensors") + "\n"), (run.ExitCode, run.Output));
        Assert.StartsWith("masquant: warning MASQ0930: ", run.Error);
        AssertSameFiles(quantized.Folder, folder.File("out"));
    }

    [Fact]
    public void None_uses_none()
    {
        using var folder = new TemporaryDirectory();
        Assert.Equal(0, CommandRun.Of([.. quantized.Command(folder.File("out")), "--cache", "none"]).ExitCode);
        AssertSameFiles(quantized.Folder, folder.File("out"));
        Assert.Equal([folder.File("out")], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void An_output_that_cannot_be_written_is_refused_before_any_work()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("out"), "");
        var run = Run(folder, "out");
        Assert.Equal(1, run.ExitCode);
        Assert.DoesNotContain("Block ", run.Error);
    }

    private string[] Command(TemporaryDirectory folder, string output, params string[] more)
    {
        var command = quantized.Command(folder.File(output)).ToList();
        foreach (var pair in more.Chunk(2))
        {
            var place = command.IndexOf(pair[0]);
            command.RemoveRange(place < 0 ? 0 : place, place < 0 ? 0 : 2);
            command.AddRange(pair);
        }

        return [.. command, "--cache", folder.File("cache")];
    }

    private CommandRun Run(TemporaryDirectory folder, string output, params string[] more) => CommandRun.Of(Command(folder, output, more));

    // Times differ; everything else is the same to the byte, and nothing lies beside it.
    private static void AssertSameFiles(string expected, string actual)
    {
        string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(folder, "Tiny.*").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Equal(Names(expected), Names(actual));
        Assert.Equal(Names(actual).Length, Directory.EnumerateFileSystemEntries(actual).Count());
        Assert.All(Names(actual).Where(name => !name.EndsWith(".times.json", StringComparison.Ordinal)),
            name => Assert.Equal(File.ReadAllBytes(Path.Combine(expected, name)), File.ReadAllBytes(Path.Combine(actual, name))));
    }
}
