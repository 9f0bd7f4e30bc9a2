using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Caching;

public class CacheTrimTests
{
    private static readonly string[] Keys = [CacheCase.Key("0"), CacheCase.Key("1"), CacheCase.Key("2")];

    [Fact]
    public void The_least_recently_used_goes_first()
    {
        using var cache = Filled();
        cache.Restore(Keys[0]); // now the most recently used
        var trimmed = CacheTrim.Run(cache.Folder, 25, null, default);
        Assert.Equal(new CacheTrimmed(1, 10, 20), trimmed);
        Assert.Equal([true, false, true], Keys.Select(key => cache.Restore(key)));
        Assert.Equal(6, cache.Files().Length);
    }

    [Fact]
    public void Below_the_limit_all_stays()
    {
        using var cache = Filled();
        Assert.Equal(new CacheTrimmed(0, 0, 30), CacheTrim.Run(cache.Folder, 30, null, default));
    }

    [Fact]
    public void What_somebody_works_with_stays()
    {
        using var cache = Filled();
        using (cache.Folder.TryLock(Keys[0]))
        {
            Assert.Equal(new CacheTrimmed(2, 20, 10), CacheTrim.Run(cache.Folder, 0, null, default));
        }

        Assert.True(cache.Restore(Keys[0]));
    }

    [Fact]
    public void Age_alone_removes()
    {
        using var cache = Filled();
        Assert.Equal(new CacheTrimmed(2, 20, 10), CacheTrim.Run(cache.Folder, null, new DateTime(2001, 1, 2, 12, 0, 0, DateTimeKind.Utc), default));
        Assert.True(cache.Restore(Keys[2]));
    }

    [Fact]
    public void A_content_that_another_entry_has_too_stays()
    {
        using var cache = new CacheCase();
        cache.Add(Keys[0], "same 5", "five0");
        cache.Add(Keys[1], "same 5", "five1");
        File.SetLastWriteTimeUtc(cache.Folder.Action(Keys[0]), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(new CacheTrimmed(1, 5, 11), CacheTrim.Run(cache.Folder, 15, null, default));
        Assert.True(cache.Restore(Keys[1]));
    }

    [Fact]
    public void Contents_that_a_killed_trim_left_are_removed()
    {
        using var cache = Filled();
        File.Delete(cache.Folder.Action(Keys[1]));
        File.WriteAllText(cache.Folder.Action(Keys[0]), "damaged");
        Assert.Equal(new CacheTrimmed(0, 20, 10), CacheTrim.Run(cache.Folder, null, null, default));
        Assert.Equal(3, cache.Files().Length);
    }

    [Fact]
    public void Unfinished_runs_count_and_go_as_well()
    {
        using var cache = Filled();
        var run = cache.Folder.Run(CacheCase.Key("run"));
        Directory.CreateDirectory(run.Layers);
        File.WriteAllText(Path.Combine(run.Layers, "layer"), "seven B");
        Assert.Equal(37, CacheInventory.Of(cache.Folder).Bytes);
        using (cache.Folder.TryLock(CacheCase.Key("run")))
        {
            Assert.Equal(new CacheTrimmed(3, 30, 7), CacheTrim.Run(cache.Folder, 0, null, default));
        }

        Assert.Equal(new CacheTrimmed(1, 7, 0), CacheTrim.Run(cache.Folder, 0, null, default));
        Assert.Empty(cache.Files());
    }

    [Fact]
    public void An_absent_cache_is_empty()
    {
        using var directory = new TemporaryDirectory();
        var folder = new CacheFolder(directory.File("absent"));
        Assert.Equal(default, CacheTrim.Run(folder, 0, null, default));
        Assert.Equal(0, CacheInventory.Of(folder).Bytes);
        Assert.False(Directory.Exists(folder.Path));
    }

    [Fact]
    public void Verifying_removes_what_is_damaged_and_keeps_the_rest()
    {
        using var cache = Filled();
        Assert.Empty(CacheVerification.Run(cache.Folder, default).Removed);
        File.WriteAllText(cache.Folder.Content(CacheCase.Key("arti0")), "arti?");
        File.WriteAllText(cache.Folder.Action(Keys[1]), "damaged");
        var (read, removed) = CacheVerification.Run(cache.Folder, default);
        Assert.Equal((6, 3), (read, removed.Count));
        Assert.Equal([$"ac/{Keys[0]}", $"ac/{Keys[1]}", $"cas/{CacheCase.Key("arti0")}"], removed.Select(line => line.Split(':')[0]).Order(StringComparer.Ordinal));
        Assert.Equal([false, false, true], Keys.Select(key => cache.Restore(key)));
        Assert.Empty(CacheVerification.Run(cache.Folder, default).Removed);
    }

    // Three entries of 10 bytes, used on the first three days of 2001.
    private static CacheCase Filled()
    {
        var cache = new CacheCase();
        for (var i = 0; i < Keys.Length; i++)
        {
            cache.Add(Keys[i], $"mani{i}", $"arti{i}");
            File.SetLastWriteTimeUtc(cache.Folder.Action(Keys[i]), new DateTime(2001, 1, 1 + i, 0, 0, 0, DateTimeKind.Utc));
        }

        return cache;
    }
}
