using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Locks;

namespace MASQuant.Quantization.Tests.Caching;

public class ArtifactCacheTests
{
    private static readonly string Key = CacheCase.Key("a");

    [Fact]
    public void What_was_added_comes_back_and_nothing_else_is_left()
    {
        using var cache = new CacheCase();
        var result = cache.Add(Key);
        Assert.Equal([$"ac/{Key}", .. result.Files.Select(file => $"cas/{file.Sha256}").Order(StringComparer.Ordinal)], cache.Files());
        Assert.True(cache.Restore(Key));
        Assert.Equal(("manifest", "artifact"), (cache.Restored(0), cache.Restored(1)));
        Assert.Equal(CacheCase.Names, Directory.EnumerateFiles(cache.Target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_unknown_key_gives_nothing()
    {
        using var cache = new CacheCase();
        cache.Add(Key);
        Assert.False(cache.Restore(CacheCase.Key("b")));
        Assert.False(Directory.Exists(cache.Target));
    }

    [Fact]
    public void Whoever_writes_to_a_restored_file_does_not_reach_the_cache()
    {
        using var cache = new CacheCase();
        cache.Add(Key);
        cache.Restore(Key);
        using (var stream = new FileStream(Path.Combine(cache.Target, CacheCase.Names[1]), FileMode.Open, FileAccess.Write))
        {
            stream.Write("XXXX"u8);
        }

        Assert.True(cache.Restore(Key));
        Assert.Equal("artifact", cache.Restored(1));
    }

    [Theory]
    [InlineData("artifacT")]
    [InlineData("arti")]
    [InlineData(null)]
    public void A_damaged_entry_is_removed_and_not_served(string? content)
    {
        using var cache = new CacheCase();
        var artifact = cache.Folder.Content(cache.Add(Key).Files[1].Sha256);
        if (content is null)
        {
            File.Delete(artifact);
        }
        else
        {
            File.WriteAllText(artifact, content);
        }

        var damaged = 0;
        Assert.False(cache.Restore(Key, () => damaged++));
        Assert.Equal(1, damaged);
        Assert.Empty(Directory.EnumerateFiles(cache.Target));
        Assert.False(File.Exists(cache.Folder.Action(Key)));

        cache.Add(Key);
        Assert.True(cache.Restore(Key));
        Assert.Equal("artifact", cache.Restored(1));
    }

    [Fact]
    public void A_damaged_result_is_removed()
    {
        using var cache = new CacheCase();
        cache.Add(Key);
        File.Copy(cache.Folder.Action(Key), cache.Folder.Action(CacheCase.Key("b"))); // another key's
        var damaged = 0;
        Assert.False(cache.Restore(CacheCase.Key("b"), () => damaged++));
        Assert.Equal((1, false), (damaged, File.Exists(cache.Folder.Action(CacheCase.Key("b")))));
    }

    [Fact]
    public void Adding_repairs_a_damaged_content()
    {
        using var cache = new CacheCase();
        var artifact = cache.Folder.Content(cache.Add(Key).Files[1].Sha256);
        File.WriteAllText(artifact, "artifacT");
        cache.Add(CacheCase.Key("b"));
        Assert.Equal("artifact", File.ReadAllText(artifact));
    }

    [Fact]
    public void A_key_is_worked_on_by_one_at_a_time()
    {
        using var cache = new CacheCase();
        using (cache.Folder.TryLock(Key))
        {
            Assert.Null(cache.Folder.TryLock(Key));
            using var cancelled = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            var waited = 0;
            Assert.ThrowsAny<OperationCanceledException>(() => cache.Folder.Run(Key).Lock(() => waited++, cancelled.Token));
            Assert.Equal(1, waited);
        }

        using var next = cache.Folder.TryLock(Key);
        Assert.NotNull(next);
    }

    [SkippableFact]
    public void A_folder_that_cannot_be_written_is_no_endless_wait()
    {
        Skip.If(OperatingSystem.IsWindows());
        var file = Path.GetTempFileName();
        Assert.Throws<MASQuantException>(() => new CacheFolder(Path.Combine(file, "below")).TryLock(Key));
        Assert.Throws<MASQuantException>(() => FileLock.TryTake(Path.Combine(Path.GetTempPath(), new string('x', 300)))); // too long a name, which is not a lock that somebody holds
        File.Delete(file);
    }

    [Fact]
    public void Counters_add_up()
    {
        using var cache = new CacheCase();
        Assert.Equal(default, CacheCounters.Read(cache.Folder));
        Parallel.For(0, 20, _ => CacheCounters.Add(cache.Folder, new CacheCounters(1, 2, 3), default));
        Assert.Equal(new CacheCounters(20, 40, 60), CacheCounters.Read(cache.Folder));
        File.WriteAllText(cache.Folder.Counters, "-1 x");
        Assert.Equal(default, CacheCounters.Read(cache.Folder));
    }
}
