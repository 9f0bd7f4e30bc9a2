using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>Reads a whole cache and removes what is damaged.</summary>
public static class CacheVerification
{
    /// <summary>Hashes every content.</summary>
    /// <returns>How many contents were read, and one line for everything that was removed.</returns>
    public static (int Checked, IReadOnlyList<string> Removed) Run(CacheFolder folder, CancellationToken cancellationToken)
    {
        var removed = new List<string>();
        var inventory = CacheInventory.Of(folder);
        var damaged = inventory.Contents.Keys.Where(content => !IsWhole(folder, content, cancellationToken)).ToArray();
        if (!Directory.Exists(folder.Path))
        {
            return (0, removed);
        }

        // Hashing took its time: under the lock, look again at what seems wrong.
        using var alone = folder.LockStore(cancellationToken);
        foreach (var content in damaged.Where(content => File.Exists(folder.Content(content)) && !IsWhole(folder, content, cancellationToken)))
        {
            FileSystem.Current.Delete(folder.Content(content));
            removed.Add($"cas/{content}: its content has another hash");
        }

        var now = CacheInventory.Of(folder);
        foreach (var key in now.Damaged)
        {
            FileSystem.Current.Delete(folder.Action(key));
            removed.Add($"ac/{key}: not an action result of this key");
        }

        foreach (var entry in now.Entries.Where(entry => entry.Files.Any(file => now.Contents.GetValueOrDefault(file.Sha256, -1) != file.Bytes)))
        {
            FileSystem.Current.Delete(folder.Action(entry.Key));
            removed.Add($"ac/{entry.Key}: a content is missing");
        }

        return (inventory.Contents.Count, removed);
    }

    private static bool IsWhole(CacheFolder folder, string content, CancellationToken cancellationToken)
    {
        try
        {
            using var stream = ContentHash.OpenRead(folder.Content(content));
            return ContentHash.Of(stream, cancellationToken) == content;
        }
        catch (FileNotFoundException)
        {
            return true; // It went meanwhile.
        }
    }
}
