using System.Security.Cryptography;
using System.Text;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>What a disk holds after steps of which a power loss took some. Contents reach it when they are synced, names when their folder is; before that, anything may be missing.</summary>
internal sealed class Disk
{
    // A folder has no content.
    private readonly SortedDictionary<string, Content?> _names = new(StringComparer.Ordinal);

    /// <summary>A disk that holds what a folder does.</summary>
    public static Disk Of(string folder)
    {
        var disk = new Disk();
        foreach (var inner in Directory.GetDirectories(folder, "*", SearchOption.AllDirectories))
        {
            disk._names[Path.GetRelativePath(folder, inner)] = null;
        }

        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            var content = new Content();
            content.Bytes.Write(File.ReadAllBytes(file));
            content.Synced = content.Bytes.Length;
            disk._names[Path.GetRelativePath(folder, file)] = content;
        }

        return disk;
    }

    /// <summary>The folder that a step changes the names of.</summary>
    public static IEnumerable<string> FoldersOf(DiskStep step) => step.Call switch
    {
        FileCall.Open or FileCall.Delete or FileCall.CreateFolder or FileCall.DeleteFolder => [Parent(step.Path)],
        FileCall.Move => [Parent(step.Path), Parent(step.To!)],
        FileCall.Copy => [Parent(step.To!)],
        _ => [],
    };

    /// <summary>Does a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="lost">A folder whose changed names do not reach the disk; a file that is renamed out of it is then under both names.</param>
    public void Do(DiskStep step, string? lost = null)
    {
        var namesReachIt = lost is null || (step.Call == FileCall.Move ? Parent(step.To!) != lost : !FoldersOf(step).Contains(lost));
        switch (step.Call)
        {
            case FileCall.Open:
                Create(step.Path, namesReachIt);
                break;
            case FileCall.Write:
                Find(step.Path)?.Bytes.Write(step.Bytes);
                break;
            case FileCall.Sync:
                Find(step.Path)?.Sync();
                break;
            case FileCall.Copy:
                Create(step.To!, namesReachIt);
                Find(step.To!)?.Bytes.Write(step.Bytes);
                break;
            case FileCall.Move when namesReachIt:
                Move(step.Path, step.To!, keep: Parent(step.Path) == lost);
                break;
            case FileCall.Delete or FileCall.DeleteFolder when namesReachIt:
                _names.Remove(step.Path);
                break;
            case FileCall.CreateFolder when namesReachIt && HasParent(step.Path):
                _names[step.Path] = null;
                break;
            default:
                break;
        }
    }

    /// <summary>Writes what the disk holds into an empty folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="share">How much of what was not synced is there, 0…1.</param>
    public void Lay(string folder, double share)
    {
        foreach (var (name, content) in _names)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(content is null ? path : Path.GetDirectoryName(path)!);
            if (content is not null)
            {
                File.WriteAllBytes(path, content.Left(share));
            }
        }
    }

    /// <summary>Tells equal disks from others.</summary>
    public string Mark(double share)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in _names)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
            hash.AppendData(content is null ? [] : SHA256.HashData(content.Left(share)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Parent(string path) => Path.GetDirectoryName(path)!;

    private Content? Find(string path) => _names.GetValueOrDefault(path);

    private bool HasParent(string path) => Parent(path).Length == 0 || _names.ContainsKey(Parent(path));

    private void Create(string path, bool namesReachIt)
    {
        if (_names.ContainsKey(path) || (namesReachIt && HasParent(path)))
        {
            _names[path] = new Content();
        }
    }

    private void Move(string from, string to, bool keep)
    {
        foreach (var name in _names.Keys.Where(name => name == from || name.StartsWith(from + Path.DirectorySeparatorChar, StringComparison.Ordinal)).ToArray())
        {
            var content = _names[name];
            if (!keep)
            {
                _names.Remove(name);
            }

            if (HasParent(to))
            {
                _names[to + name[from.Length..]] = content;
            }
        }
    }

    private sealed class Content
    {
        public MemoryStream Bytes { get; } = new();

        public long Synced { get; set; }

        public void Sync() => Synced = Bytes.Length;

        public byte[] Left(double share) => Bytes.GetBuffer()[..(int)(Synced + (long)((Bytes.Length - Synced) * share))];
    }
}
