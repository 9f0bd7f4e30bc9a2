using MASQuant.Delivery.Locks;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Keys;

/// <summary>SHA-256 of files' contents, remembered between builds by path, size and time of the last change. A touched file is hashed again, and a Git LFS pointer counts as the file that it stands for.</summary>
public sealed class FileHashes
{
    private const char Separator = '\t';
    private readonly string _memoFile;
    private readonly Dictionary<string, (string Stamp, string Hash)> _remembered = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (string Stamp, string Hash)> _used = new(StringComparer.Ordinal);

    /// <summary>Reads what earlier builds remembered in <paramref name="memoFile"/>.</summary>
    public FileHashes(string memoFile)
    {
        _memoFile = memoFile;
        foreach (var line in File.Exists(memoFile) ? FileSystem.Current.ReadAllText(memoFile).Split('\n') : [])
        {
            if (line.Split(Separator) is [var path, var stamp, var hash] && ContentHash.IsHash(hash))
            {
                _remembered[path] = (stamp, hash);
            }
        }
    }

    /// <summary>The files that were asked for, each with its size and the time of its last change when it was.</summary>
    public IEnumerable<(string Path, string Stamp)> Stamps => _used.Select(entry => (entry.Key, entry.Value.Stamp));

    /// <summary>The hash of a file's content, lower-case hexadecimal.</summary>
    public string Of(string path)
    {
        var stamp = FileStamp.Of(path);
        if (!_remembered.TryGetValue(path, out var known) || known.Stamp != stamp)
        {
            known = (stamp, ContentHash.OfFile(path));
        }

        _used[path] = known;
        return known.Hash;
    }

    /// <summary>Remembers the files that were asked for, and forgets the rest.</summary>
    public void Save()
    {
        if (_used.Count == _remembered.Count && _used.All(entry => _remembered.TryGetValue(entry.Key, out var known) && known == entry.Value))
        {
            return;
        }

        var lines = string.Concat(_used.Select(entry => $"{entry.Key}{Separator}{entry.Value.Stamp}{Separator}{entry.Value.Hash}\n"));
        using var alone = FileLock.Take(_memoFile + ".lock", null, CancellationToken.None);
        LockedFile.Write(_memoFile, lines);
    }
}
