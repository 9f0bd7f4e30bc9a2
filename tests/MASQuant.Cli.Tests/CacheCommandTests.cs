using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class CacheCommandTests
{
    private static readonly string Key = new('a', 64);

    [Fact]
    public void Stats_show_what_is_there()
    {
        using var directory = new TemporaryDirectory();
        var folder = Filled(directory);
        CacheCounters.Add(folder, new CacheCounters(2, 1, 1), default);
        var run = CommandRun.Of("cache", "stats", "--directory", folder.Path);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Output.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToArray();
        Assert.Equal(
            ["artifacts 1", "unfinished runs 0", "size 16 B", "of unfinished runs 0 B", "taken from here 2", "downloaded 1", "quantized 1", "hits 75.0 %", "least recent use 2001-02-03 04:05 UTC"],
            lines[2..^1]);
    }

    [Fact]
    public void An_absent_cache_is_empty_and_is_not_made()
    {
        using var directory = new TemporaryDirectory();
        foreach (var action in new[] { "stats", "verify", "clean" })
        {
            Assert.Equal(0, CommandRun.Of("cache", action, "--directory", directory.File("absent")).ExitCode);
        }

        Assert.False(Directory.Exists(directory.File("absent")));
    }

    [Fact]
    public void Verify_removes_what_is_damaged_and_fails_once()
    {
        using var directory = new TemporaryDirectory();
        var folder = Filled(directory);
        Assert.Equal((0, $"2 files read, 0 damaged and removed: {folder.Path}\n"), Answer("verify"));
        var content = Directory.EnumerateFiles(folder.Contents).Order(StringComparer.Ordinal).First();
        File.AppendAllText(content, "!");
        Assert.Equal((1, $"removed cas/{Path.GetFileName(content)}: its content has another hash\nremoved ac/{Key}: a content is missing\n2 files read, 2 damaged and removed: {folder.Path}\n"), Answer("verify"));
        Assert.Equal(0, Answer("verify").ExitCode);

        (int ExitCode, string Output) Answer(string action)
        {
            var run = CommandRun.Of("cache", action, "--directory", folder.Path);
            return (run.ExitCode, run.Output);
        }
    }

    [Fact]
    public void Clean_removes_by_age_by_size_or_all()
    {
        using var directory = new TemporaryDirectory();
        var folder = Filled(directory);
        File.SetLastWriteTimeUtc(folder.Action(Key), DateTime.UtcNow.AddHours(-5));
        Assert.Equal($"0 entries removed, 0 B freed, 16 B left: {folder.Path}\n", CommandRun.Of("cache", "clean", "--directory", folder.Path, "--older-than", "6h").Output);
        Assert.Equal($"0 entries removed, 0 B freed, 16 B left: {folder.Path}\n", CommandRun.Of("cache", "clean", "--directory", folder.Path, "--max-bytes", "1KB").Output);
        Assert.Equal($"1 entries removed, 16 B freed, 0 B left: {folder.Path}\n", CommandRun.Of("cache", "clean", "--directory", folder.Path, "--older-than", "4h").Output);
        Filled(directory);
        Assert.Equal($"1 entries removed, 16 B freed, 0 B left: {folder.Path}\n", CommandRun.Of("cache", "clean", "--directory", folder.Path).Output);
    }

    [Theory]
    [InlineData("cache")]
    [InlineData("cache", "empty")]
    [InlineData("cache", "stats", "--max-bytes", "1GB")]
    [InlineData("cache", "clean", "--max-bytes", "-1")]
    [InlineData("cache", "clean", "--older-than", "30")]
    [InlineData("cache", "clean", "--older-than", "1e9w")]
    [InlineData("cache", "clean", "--older-than", "36501d")]
    public void Wrong_usage_is_two(params string[] words) => Assert.Equal(2, CommandRun.Of(words).ExitCode);

    private static CacheFolder Filled(TemporaryDirectory directory)
    {
        var folder = new CacheFolder(directory.File("cache"));
        var output = Directory.CreateDirectory(folder.Run(Key).Output).FullName;
        File.WriteAllText(Path.Combine(output, "T.masquant.json"), "manifest");
        File.WriteAllText(Path.Combine(output, "T.masquant.safetensors"), "artifact");
        new ArtifactCache(folder).Add(new ActionResult(Key, [.. Directory.GetFiles(output).Select(file => CachedFile.Of(file, default))]), output, default);
        folder.Run(Key).Delete();
        File.SetLastWriteTimeUtc(folder.Action(Key), new DateTime(2001, 2, 3, 4, 5, 0, DateTimeKind.Utc));
        return folder;
    }
}
