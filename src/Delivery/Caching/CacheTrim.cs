using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>Removes what was not used for longest. An entry goes before its contents, so a killed trim leaves contents without an entry, which the next one removes.</summary>
public static class CacheTrim
{
    /// <summary>Trims a cache. What somebody works with stays.</summary>
    /// <param name="folder">The cache.</param>
    /// <param name="maxBytes">How much may stay; null for any amount.</param>
    /// <param name="unusedSince">Whatever was last used before goes; null to go by size alone.</param>
    /// <param name="cancellationToken">Stops between entries.</param>
    public static CacheTrimmed Run(CacheFolder folder, long? maxBytes, DateTime? unusedSince, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder.Path))
        {
            return default;
        }

        using var alone = folder.LockStore(cancellationToken);
        var inventory = CacheInventory.Of(folder);
        var left = new Remaining(folder, inventory);
        foreach (var key in inventory.Damaged)
        {
            FileSystem.Current.Delete(folder.Action(key));
        }

        foreach (var orphan in inventory.Orphans.ToArray())
        {
            left.DeleteContent(orphan);
        }

        var uses = inventory.Entries.Select(entry => (entry.LastUse, entry.Key)).Concat(inventory.Runs.Select(run => (run.LastUse, run.Key)));
        foreach (var use in uses.GroupBy(use => use.Key).Select(uses => (Key: uses.Key, LastUse: uses.Max(use => use.LastUse))).OrderBy(use => use.LastUse).ThenBy(use => use.Key, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (left.Bytes > maxBytes || use.LastUse < unusedSince)
            {
                left.TryRemove(use.Key);
            }
        }

        RemoteTrouble.Forget(folder.Path);
        return new CacheTrimmed(left.Removed, inventory.Bytes - left.Bytes, left.Bytes);
    }

    private sealed class Remaining(CacheFolder folder, CacheInventory inventory)
    {
        private readonly Dictionary<string, CacheInventory.Entry> _entries = inventory.Entries.ToDictionary(entry => entry.Key);
        private readonly Dictionary<string, CacheInventory.Run> _runs = inventory.Runs.ToDictionary(run => run.Key);

        public long Bytes { get; private set; } = inventory.Bytes;

        public int Removed { get; private set; }

        public void TryRemove(string key)
        {
            using var idle = folder.TryLock(key);
            if (idle is null)
            {
                return;
            }

            if (_entries.Remove(key, out var entry))
            {
                FileSystem.Current.Delete(folder.Action(key));
                var kept = _entries.Values.SelectMany(other => other.Files).Select(file => file.Sha256).ToHashSet();
                foreach (var content in entry.Files.Select(file => file.Sha256).Distinct().Where(content => !kept.Contains(content)))
                {
                    DeleteContent(content);
                }
            }

            if (_runs.TryGetValue(key, out var run))
            {
                folder.Run(key).Delete();
                Bytes -= run.Bytes;
            }

            Removed++;
            new PendingUpload(folder.Path, key).Remove();
            DeleteLock(key);
        }

        public void DeleteContent(string sha256)
        {
            try
            {
                FileSystem.Current.Delete(folder.Content(sha256));
                Bytes -= inventory.Contents.GetValueOrDefault(sha256);
            }
            catch (IOException)
            {
                // Windows: somebody reads it. Without an entry, the next trim removes it.
            }
        }

        // Two processes may share the key for a moment when one opened the file just before: they would do the same work twice, with the same result.
        private void DeleteLock(string key)
        {
            try
            {
                FileSystem.Current.Delete(RunFolder.LockFile(folder.Path, key));
            }
            catch (IOException)
            {
                // Windows deletes no open file; an empty one stays.
            }
        }
    }
}
