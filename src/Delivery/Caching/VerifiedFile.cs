using MASQuant.Formats.Files;

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
        if (!File.Exists(content) || new FileInfo(content).Length != expected.Bytes)
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(to)!);

        // File systems that can share blocks until one side writes do so here.
        File.Copy(content, to, overwrite: true);
        if (!Is(to, expected, cancellationToken))
        {
            File.Delete(to);
            return false;
        }

        // Copying by time and size must see that another artifact came.
        File.SetLastWriteTimeUtc(to, DateTime.UtcNow);
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

    /// <summary>Gives the files that wait their names, in this order.</summary>
    public static void Appear(string folder, IEnumerable<string> names)
    {
        foreach (var name in names.Where(name => File.Exists(Temporary(folder, name))))
        {
            File.Move(Temporary(folder, name), Path.Combine(folder, name), overwrite: true);
        }
    }

    /// <summary>Deletes waiting files.</summary>
    public static void DiscardTemporary(string folder, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            File.Delete(Temporary(folder, name));
        }
    }
}
