using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>Finished artifacts by key in the shared folder. Contents are checked by their hash whenever they leave it; what leaves is a copy, so that nobody can change the cache through it. Callers hold the key's lock.</summary>
public sealed class ArtifactCache(CacheFolder folder)
{
    private const string ResultFile = "result";

    /// <summary>The places.</summary>
    public CacheFolder Folder { get; } = folder;

    /// <summary>Copies a key's files to <paramref name="target"/>, the artifact last.</summary>
    /// <param name="key">The key.</param>
    /// <param name="names">The files that the entry may have.</param>
    /// <param name="target">Receives them; created when missing.</param>
    /// <param name="isModel">Whether manifest and artifact, which are given, are what the key stands for.</param>
    /// <param name="damaged">Called when the entry turned out to be damaged; it is removed.</param>
    /// <param name="cancellationToken">Stops a copy; nothing half-written is left under a file's name.</param>
    /// <returns>Whether the files are there now.</returns>
    public bool TryRestore(string key, EntryNames names, string target, Func<string, string, bool> isModel, Action damaged, CancellationToken cancellationToken)
    {
        var action = Folder.Action(key);
        if (!File.Exists(action))
        {
            return false;
        }

        if (ReadAction(key) is not { } found || ActionResult.Parse(found, key, names) is not { } result)
        {
            FileSystem.Current.Delete(action);
            damaged();
            return false;
        }

        FileSystem.Current.CreateFolder(target);
        VerifiedFile.DiscardTemporary(target, names.All);
        foreach (var file in result.Files)
        {
            var content = Folder.Content(file.Sha256);
            if (!VerifiedFile.TryCopy(content, VerifiedFile.Temporary(target, file.Name), file, cancellationToken))
            {
                // Another entry may share the content; it is found missing then, and made again as well.
                FileSystem.Current.Delete(content);
                FileSystem.Current.Delete(action);
                VerifiedFile.DiscardTemporary(target, names.All);
                damaged();
                return false;
            }
        }

        if (!isModel(VerifiedFile.Temporary(target, names.Manifest), VerifiedFile.Temporary(target, names.Artifact)))
        {
            FileSystem.Current.Delete(action);
            VerifiedFile.DiscardTemporary(target, names.All);
            damaged();
            return false;
        }

        VerifiedFile.Appear(target, names.All);
        FileSystem.Current.SetTime(action, Clock.UtcNow);
        return true;
    }

    /// <summary>Moves finished files of <see cref="RunFolder"/> into the cache; the entry appears last and at once.</summary>
    public void Add(ActionResult result, string from, CancellationToken cancellationToken)
    {
        var pending = Path.Combine(Folder.Run(result.Key).Path, ResultFile);
        AtomicFile.Write(pending, result.Serialize());
        FileSystem.Current.CreateFolder(Folder.Actions);
        FileSystem.Current.CreateFolder(Folder.Contents);
        using var alone = Folder.LockStore(cancellationToken);
        foreach (var file in result.Files)
        {
            var content = Folder.Content(file.Sha256);
            if (!VerifiedFile.Is(content, file, cancellationToken))
            {
                FileSystem.Current.Move(Path.Combine(from, file.Name), content);
            }
        }

        FileSystem.Current.SyncFolder(Folder.Contents); // An entry does not outlive its contents.
        FileSystem.Current.Move(pending, Folder.Action(result.Key));
        FileSystem.Current.SyncFolder(Folder.Actions);
        FileSystem.Current.SetTime(Folder.Action(result.Key), Clock.UtcNow);
    }

    /// <summary>Removes entries and unfinished runs, the least recently used first, down to a limit.</summary>
    public CacheTrimmed Trim(long maxBytes, CancellationToken cancellationToken) => CacheTrim.Run(Folder, maxBytes, unusedSince: null, cancellationToken);

    // Null for a file that is too long to be an action result.
    private byte[]? ReadAction(string key)
    {
        var file = FileSystem.Current.Info(Folder.Action(key));
        return file.Length <= ActionResult.MaxBytes ? FileSystem.Current.ReadAllBytes(file.FullName) : null;
    }
}
