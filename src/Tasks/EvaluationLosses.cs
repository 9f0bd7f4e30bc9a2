using System.Text;
using System.Text.Json;
using MASQuant.Delivery.Keys;
using MASQuant.Delivery.Locks;
using MASQuant.Evaluation.Budgets;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Tasks;

/// <summary>Measured evaluation losses by artifact and evaluation set, so that a build measures once.</summary>
internal sealed class EvaluationLosses(string store)
{
    private readonly string _folder = Path.Combine(store, "losses");

    /// <summary>Names a measurement by the artifact's key and the contents of the conversations and their media.</summary>
    /// <param name="modelKey">The artifact's key.</param>
    /// <param name="files">The conversations' file, then their media.</param>
    /// <param name="hashes">Knows their contents.</param>
    public static string KeyOf(string modelKey, IReadOnlyList<string> files, FileHashes hashes)
    {
        var folder = Path.GetDirectoryName(files[0])!;
        var text = new StringBuilder("masquant loss 1\n").Append(modelKey).Append('\n');
        foreach (var file in files)
        {
            text.Append(Path.GetRelativePath(folder, file).Replace('\\', '/')).Append(' ').Append(hashes.Of(file)).Append('\n');
        }

        return ContentHash.OfText(text.ToString())[..32];
    }

    /// <summary>A loss that was measured before; null when there is none, or none that can be read.</summary>
    public EvaluationLoss? TryRead(string key)
    {
        try
        {
            return File.Exists(PathOf(key)) ? JsonSerializer.Deserialize<EvaluationLoss>(FileSystem.Current.ReadAllBytes(PathOf(key))) : null;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or IOException)
        {
            return null;
        }
    }

    public void Write(string key, EvaluationLoss loss) => AtomicFile.Write(PathOf(key), JsonSerializer.SerializeToUtf8Bytes(loss));

    /// <summary>Waits until no other process measures <paramref name="key"/>.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the folder cannot be written.</exception>
    public FileStream Lock(string key, Action waiting, CancellationToken cancellationToken) => FileLock.Take(Path.Combine(_folder, key + ".lock"), waiting, cancellationToken);

    private string PathOf(string key) => Path.Combine(_folder, key + ".json");
}
