using MASQuant.Delivery.Caching;
using MASQuant.Formats.Artifacts;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Brings a model into the project's store: from the shared cache, else from the remote one, else by quantizing; then the caches have it too. A cache that fails is a warning.</summary>
internal sealed class ArtifactDelivery(ArtifactStore store, CacheSettings settings, string key, string name, string project, string build, Microsoft.Build.Utilities.Task task)
{
    private readonly EntryNames _names = EntryNames.Of(name);
    private ArtifactCache? _cache;
    private bool _isRemoteTroubled;

    /// <summary>Brings the model. Another process that works under the key is waited for.</summary>
    /// <param name="quantize">Quantizes with a run folder, and leaves both files in its output folder.</param>
    /// <param name="cancellationToken">Stops quantizing, copying and transfers.</param>
    public void Run(Action<RunFolder> quantize, CancellationToken cancellationToken)
    {
        _cache = OpenCache();
        var run = new RunFolder(Root, key);
        ActionResult? made;
        FileStream? upload;
        using (run.Lock(() => Say(Messages.Waiting(name)), cancellationToken))
        {
            if (store.Contains(key, name) && !Pending.IsNoted)
            {
                store.UnmarkUpload(key, name); // another clone made up for it
                return;
            }

            made = store.Contains(key, name) ? null : Bring(run, quantize, cancellationToken);
            upload = made is not null || Pending.IsNoted ? TryTakeUpload() : null;
            VerifiedFile.Appear(store.FolderOf(key), _names.All);
            Tidy(cancellationToken); // still under the lock: what was just made stays, however low the limit
        }

        if (upload is not null)
        {
            Upload(upload, made, cancellationToken);
        }
    }

    private ActionResult? Bring(RunFolder run, Action<RunFolder> quantize, CancellationToken cancellationToken)
    {
        var made = TryRestore(cancellationToken) || TryDownload(run, cancellationToken) ? null : Make(run, quantize, cancellationToken);
        run.Delete();
        return made;
    }

    private string Root => _cache?.Folder.Path ?? store.Folder;

    private ArtifactCache? OpenCache()
    {
        if (settings.Folder is not { } folder)
        {
            return null;
        }

        try
        {
            using var probe = FileLock.TryTake(RunFolder.LockFile(folder.Path, key));
            return new ArtifactCache(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            task.Log.LogWarning(Messages.CacheNotUsable(project, folder.Path, exception));
            return null;
        }
    }

    private bool TryRestore(CancellationToken cancellationToken)
    {
        try
        {
            if (_cache?.TryRestore(key, _names, store.FolderOf(key), () => task.Log.LogWarning(Messages.CacheEntryDamaged(project, name, _cache.Folder.Path)), cancellationToken) != true)
            {
                return false;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            task.Log.LogWarning(Messages.CacheNotUsable(project, Root, exception));
            return false;
        }

        Say(Messages.Restored(name, Bytes));
        CacheCounters.Add(_cache.Folder, new CacheCounters(1, 0, 0), cancellationToken);
        return true;
    }

    private bool TryDownload(RunFolder run, CancellationToken cancellationToken)
    {
        if (!AsksRemote)
        {
            return false;
        }

        try
        {
            using var remote = new RemoteCache(settings.Remote!);
            if (remote.FindAsync(key, _names, cancellationToken).GetAwaiter().GetResult() is not { } found
                || !found.Files.All(file => remote.DownloadAsync(file, Path.Combine(run.Incoming, file.Name), cancellationToken).GetAwaiter().GetResult()))
            {
                return false;
            }

            CheckManifest(found, run.Incoming);
            Keep(found, run.Incoming, cancellationToken);
            Say(Messages.Downloaded(name, settings.Remote!.Display, found.Files.Sum(file => file.Bytes)));
            Count(new CacheCounters(0, 1, 0), cancellationToken);
            return true;
        }
        catch (RemoteCacheException exception)
        {
            WarnOfRemote(exception);
            return false;
        }
    }

    private ActionResult? Make(RunFolder run, Action<RunFolder> quantize, CancellationToken cancellationToken)
    {
        // A run that was killed between writing and publishing left its files; the manifest is written after the artifact.
        if (!File.Exists(Path.Combine(run.Output, _names.Manifest)) || !File.Exists(Path.Combine(run.Output, _names.Artifact)))
        {
            quantize(run);
        }

        var result = _cache is not null || settings.Remote is { ReadOnly: false } ? Result(run.Output, cancellationToken) : null;
        Keep(result, run.Output, cancellationToken);
        Count(new CacheCounters(0, 0, 1), cancellationToken);
        return result;
    }

    // In the store the files wait under temporary names until the cache has them: a process that dies before is repeated, and then fills the cache.
    private void Keep(ActionResult? result, string from, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(store.FolderOf(key));
        foreach (var file in Present(from))
        {
            File.Copy(Path.Combine(from, file), VerifiedFile.Temporary(store.FolderOf(key), file), overwrite: true);
        }

        try
        {
            if (result is not null)
            {
                _cache?.Add(result, from, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or MASQuantException)
        {
            task.Log.LogWarning(Messages.CacheNotUsable(project, Root, exception));
        }
    }

    private ActionResult Result(string folder, CancellationToken cancellationToken) => new(key, [.. Present(folder).Select(file => CachedFile.Of(Path.Combine(folder, file), cancellationToken))]);

    private PendingUpload Pending => new(Root, key);

    // Null when there is nothing to upload to, or somebody is at it.
    private FileStream? TryTakeUpload()
    {
        if (settings.Remote is not { ReadOnly: false })
        {
            Pending.Remove();
            store.UnmarkUpload(key, name);
            return null;
        }

        try
        {
            var taken = AsksRemote ? Pending.TryTake() : null;
            if (taken is not null)
            {
                store.MarkUpload(key, name);
            }

            return taken;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            task.Log.LogWarning(Messages.CacheNotUsable(project, Root, exception));
            return null;
        }
    }

    // A server that does not take it is not asked again; an upload that was killed or cancelled leaves its note, and the next build takes it on.
    private void Upload(FileStream taken, ActionResult? made, CancellationToken cancellationToken)
    {
        using (taken)
        {
            try
            {
                made ??= Result(store.FolderOf(key), cancellationToken);
                using var remote = new RemoteCache(settings.Remote!);
                remote.UploadAsync(made, store.FolderOf(key), cancellationToken).GetAwaiter().GetResult();
                Say(Messages.Uploaded(name, settings.Remote!.Display, made.Files.Sum(file => file.Bytes)));
            }
            catch (Exception exception) when (exception is RemoteCacheException or IOException or UnauthorizedAccessException)
            {
                WarnOfRemote(exception);
            }
        }

        Pending.Remove();
        store.UnmarkUpload(key, name);
    }

    private void Tidy(CancellationToken cancellationToken)
    {
        if (_cache is null)
        {
            return;
        }

        try
        {
            store.Prune();
            _cache.Trim(settings.MaxBytes, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            task.Log.LogWarning(Messages.CacheNotUsable(project, Root, exception));
        }
    }

    private bool AsksRemote => settings.Remote is not null && !_isRemoteTroubled && !new RemoteTrouble(Root, build).IsKnown;

    private long Bytes => Present(store.FolderOf(key)).Sum(file => new FileInfo(Path.Combine(store.FolderOf(key), file)).Length);

    private IEnumerable<string> Present(string folder) => _names.All.Where(file => File.Exists(Path.Combine(folder, file)));

    private void WarnOfRemote(Exception exception)
    {
        _isRemoteTroubled = true;
        var warning = Messages.RemoteCacheFailed(project, settings.Remote!.Display, exception);
        if (new RemoteTrouble(Root, build).Note())
        {
            task.Log.LogWarning(warning);
        }
        else
        {
            task.Log.LogMessage(MessageImportance.Low, "{0}", warning.Message);
        }
    }

    private void CheckManifest(ActionResult found, string folder)
    {
        try
        {
            var manifest = ManifestFile.Read(Path.Combine(folder, _names.Manifest));
            if (manifest.Name == name && manifest.Quantized && manifest.ArtifactBytes == found.Files.Single(file => file.Name == _names.Artifact).Bytes)
            {
                return;
            }
        }
        catch (MASQuantException)
        {
        }

        throw new RemoteCacheException("its manifest does not describe this model");
    }

    private void Count(CacheCounters more, CancellationToken cancellationToken)
    {
        if (_cache is not null)
        {
            CacheCounters.Add(_cache.Folder, more, cancellationToken);
        }
    }

    private void Say(BuildMessageEventArgs message) => task.BuildEngine.LogMessageEvent(message);
}
