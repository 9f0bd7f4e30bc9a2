using MASQuant.Delivery.Locks;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Stores;

/// <summary>Remembers which keys each configuration and target framework of a project used last, so that one does not remove what another one needs.</summary>
public sealed class StoreUses(string folder)
{
    private const int NameLetters = 16;
    private const string LockName = "lock";
    private const string Suffix = ".keys";

    /// <summary>Records what a user uses; a file of its own tells it from others. Whoever looks for its files afterwards finds them until it uses something else.</summary>
    public void Record(string user, IEnumerable<string> keys)
    {
        // MSBuild writes a path with other separators as long as its folder does not exist.
        var name = ContentHash.OfText(user.Replace('\\', '/'))[..NameLetters];
        var file = Path.Combine(folder, name + Suffix);
        var text = string.Concat(keys.Order(StringComparer.Ordinal).Select(key => key + "\n"));
        if (File.Exists(file) && FileSystem.Current.ReadAllText(file) == text)
        {
            return;
        }

        using var alone = Lock();
        LockedFile.Write(file, text);
    }

    /// <summary>All keys in use.</summary>
    public IEnumerable<string> All() => Directory.Exists(folder) ? FileSystem.Current.Files(folder, "*" + Suffix).SelectMany(file => FileSystem.Current.ReadAllText(file.FullName).Split('\n')).Where(ContentHash.IsHash) : [];

    /// <summary>Nobody records and nobody removes meanwhile.</summary>
    public FileStream Lock() => FileLock.Take(Path.Combine(folder, LockName), null, CancellationToken.None);
}
