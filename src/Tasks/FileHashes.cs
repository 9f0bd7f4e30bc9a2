using System.Globalization;
using System.Security.Cryptography;
using MASQuant.Delivery.Caching;
using MASQuant.Formats.Files;

namespace MASQuant.Tasks;

/// <summary>SHA-256 of files' contents, remembered between builds by path, size and time of the last change. A touched file is hashed again, and a Git LFS pointer counts as the file that it stands for.</summary>
internal sealed class FileHashes
{
    private const char Separator = '\t';
    private readonly string _memoFile;
    private readonly Dictionary<string, (string Stamp, string Hash)> _remembered = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (string Stamp, string Hash)> _used = new(StringComparer.Ordinal);

    public FileHashes(string memoFile)
    {
        _memoFile = memoFile;
        foreach (var line in File.Exists(memoFile) ? File.ReadAllLines(memoFile) : [])
        {
            if (line.Split(Separator) is [var path, var stamp, var hash])
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
        var file = new FileInfo(path);
        var stamp = Stamp(file);
        if (!_remembered.TryGetValue(path, out var known) || known.Stamp != stamp)
        {
            known = (stamp, LfsPointer.ReadSha256(file) ?? Hash(path));
        }

        _used[path] = known;
        return known.Hash;
    }

    /// <summary>What changes when a file's content does, as a rule: its size and the time of its last change.</summary>
    public static string Stamp(FileInfo file) => file.Length.ToString(CultureInfo.InvariantCulture) + ":" + file.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture);

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

    private static string Hash(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
