using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>Files that are checked before they appear under their name.</summary>
public static class VerifiedFile
{
    private const string TemporarySuffix = ".tmp";

    /// <summary>Where a file waits in its folder until it is whole and right. Whoever holds the key's lock is the only one to write it.</summary>
    public static string Temporary(string folder, string name) => Path.Combine(folder, name + TemporarySuffix);

    /// <summary>Copies a content and checks the copy; false when the content is missing or not what it should be, and then no copy is left.</summary>
    public static bool TryCopy(string content, string to, CachedFile expected, CancellationToken cancellationToken)
    {
        if (!File.Exists(content) || FileSystem.Current.Info(content).Length != expected.Bytes)
        {
            return false;
        }

        FileSystem.Current.CreateFolder(Path.GetDirectoryName(to)!);
        FileSystem.Current.Copy(content, to);
        if (!Is(to, expected, cancellationToken))
        {
            FileSystem.Current.Delete(to);
            return false;
        }

        FileSystem.Current.Sync(to);

        // Copying by time and size must see that another artifact came.
        FileSystem.Current.SetTime(to, Clock.UtcNow);
        return true;
    }

    /// <summary>Whether a file exists and has the expected content.</summary>
    public static bool Is(string path, CachedFile expected, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var stream = ContentHash.OpenRead(path);
        return stream.Length == expected.Bytes && ContentHash.Of(stream, cancellationToken) == expected.Sha256;
    }

    /// <summary>Gives the files that wait their names, in this order, once the last is there. The files that they replace go first, the last before the others: at no moment do files of two models lie side by side.</summary>
    public static void Appear(string folder, IReadOnlyList<string> names)
    {
        if (!File.Exists(Temporary(folder, names[^1])))
        {
            return;
        }

        foreach (var name in names.Reverse())
        {
            FileSystem.Current.Delete(Path.Combine(folder, name));
        }

        foreach (var name in names.Where(name => File.Exists(Temporary(folder, name))))
        {
            FileSystem.Current.Move(Temporary(folder, name), Path.Combine(folder, name));
        }

        FileSystem.Current.SyncFolder(folder);
    }

    /// <summary>Deletes waiting files.</summary>
    public static void DiscardTemporary(string folder, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            FileSystem.Current.Delete(Temporary(folder, name));
        }
    }
}
