using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>What lies in a cache.</summary>
/// <param name="Entries">Finished artifacts.</param>
/// <param name="Runs">Unfinished runs.</param>
/// <param name="Contents">Sizes of the contents by hash.</param>
/// <param name="Damaged">Keys of action results that cannot be read.</param>
public sealed record CacheInventory(
    IReadOnlyList<CacheInventory.Entry> Entries, IReadOnlyList<CacheInventory.Run> Runs, IReadOnlyDictionary<string, long> Contents, IReadOnlyList<string> Damaged)
{
    /// <summary>All bytes.</summary>
    public long Bytes => Contents.Values.Sum() + Runs.Sum(run => run.Bytes);

    /// <summary>Contents that belong to no entry.</summary>
    public IEnumerable<string> Orphans => Contents.Keys.Except(Entries.SelectMany(entry => entry.Files.Select(file => file.Sha256)));

    /// <summary>Lists a cache; one that does not exist is empty. Files that come and go meanwhile may or may not be listed.</summary>
    public static CacheInventory Of(CacheFolder folder)
    {
        var entries = new List<Entry>();
        var damaged = new List<string>();
        foreach (var file in Files(folder.Actions).Where(file => ContentHash.IsHash(file.Name) && file.Exists))
        {
            if (file.Length <= ActionResult.MaxBytes && ActionResult.TryParse(FileSystem.Current.ReadAllBytes(file.FullName), file.Name) is { } result)
            {
                entries.Add(new Entry(file.Name, file.LastWriteTimeUtc, result.Files));
            }
            else
            {
                damaged.Add(file.Name);
            }
        }

        var runs = Directory.Exists(folder.Runs) ? FileSystem.Current.Folders(folder.Runs).Where(run => ContentHash.IsHash(run.Name)).Select(RunOf) : [];
        return new CacheInventory(entries, [.. runs], Files(folder.Contents).Where(file => ContentHash.IsHash(file.Name)).ToDictionary(file => file.Name, file => file.Length), damaged);
    }

    private static IEnumerable<FileInfo> Files(string folder) => Directory.Exists(folder) ? FileSystem.Current.Files(folder) : [];

    private static Run RunOf(DirectoryInfo folder)
    {
        FileSystemInfo[] all = [.. FileSystem.Current.Folders(folder.FullName), .. FileSystem.Current.Files(folder.FullName, depth: SearchOption.AllDirectories)];
        return new Run(folder.Name, all.Select(item => item.LastWriteTimeUtc).Append(folder.LastWriteTimeUtc).Max(), all.OfType<FileInfo>().Sum(file => file.Length));
    }

    /// <summary>A finished artifact.</summary>
    /// <param name="Key">Its key.</param>
    /// <param name="LastUse">When it was made or last served.</param>
    /// <param name="Files">Its contents.</param>
    public sealed record Entry(string Key, DateTime LastUse, IReadOnlyList<CachedFile> Files);

    /// <summary>An unfinished run.</summary>
    /// <param name="Key">Its key.</param>
    /// <param name="LastUse">When it last wrote.</param>
    /// <param name="Bytes">Its size.</param>
    public sealed record Run(string Key, DateTime LastUse, long Bytes);
}
