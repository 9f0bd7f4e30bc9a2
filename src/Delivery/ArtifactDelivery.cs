using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Locks;
using MASQuant.Delivery.Stores;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery;

/// <summary>Brings a model to its target: from the shared cache, else from the remote one, else by quantizing; then the caches have it too. A cache that fails is a warning.</summary>
/// <param name="target">Where to.</param>
/// <param name="settings">The caches.</param>
/// <param name="key">The model's key.</param>
/// <param name="name">The model's name.</param>
/// <param name="log">Hears of it.</param>
public sealed class ArtifactDelivery(IDeliveryTarget target, CacheSettings settings, string key, string name, IDeliveryLog log)
{
    private readonly EntryNames _names = EntryNames.Of(name);
    private ArtifactCache? _cache;
    private bool _isRemoteTroubled;

    /// <summary>The project that warnings name, if there is one.</summary>
    public string? Project { get; init; }

    /// <summary>Names the build that this is a part of, if there is one; all of it warns of a remote cache once.</summary>
    public string Build { get; init; } = "";

    /// <summary>The most bytes that a file of the model may have, whatever a remote cache announces.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Brings the model. Another process that works under the key is waited for.</summary>
    /// <param name="quantize">Quantizes with a run folder, and leaves both files in its output folder.</param>
    /// <param name="cancellationToken">Stops quantizing, copying and transfers.</param>
    public void Run(Action<RunFolder> quantize, CancellationToken cancellationToken)
    {
        _cache = OpenCache();
        try
        {
            Deliver(quantize, cancellationToken);
        }
        catch (Exception exception) when (_cache is not null && CacheFault.Is(exception, Root))
        {
            // From the beginning, since what was finished lay there.
            log.Warn(CacheWarnings.NotUsable(Project, Root, exception));
            _cache = null;
            Deliver(quantize, cancellationToken);
        }
    }

    private void Deliver(Action<RunFolder> quantize, CancellationToken cancellationToken)
    {
        var run = new RunFolder(Root, key);
        ActionResult? made;
        FileStream? upload = null;
        using (run.Lock(() => log.Report(DeliveryEvent.Waiting(name)), cancellationToken))
        {
            if (target.IsComplete && !Pending.IsNoted)
            {
                target.MarkUpload(false); // another clone made up for it
                return;
            }

            made = target.IsComplete ? null : Bring(run, quantize, cancellationToken);
            upload = made is not null || Pending.IsNoted ? TryTakeUpload() : null;
            try
            {
                FileBorder.Write(target.Folder, () => VerifiedFile.Appear(target.Folder, _names.All));
                Tidy(cancellationToken); // still under the lock: what was just made stays, however low the limit
            }
            catch
            {
                upload?.Dispose(); // The note stays, and the next build takes it on.
                throw;
            }
        }

        if (upload is not null)
        {
            Upload(upload, made, cancellationToken);
        }
    }

    private ActionResult? Bring(RunFolder run, Action<RunFolder> quantize, CancellationToken cancellationToken)
    {
        var made = TryRestore(cancellationToken) || TryDownload(run, cancellationToken) ? null : Make(run, quantize, cancellationToken);
        Tolerate(run.Delete);
        return made;
    }

    private string Root => _cache?.Folder.Path ?? target.Root;

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
        catch (Exception exception) when (IsFailure(exception))
        {
            log.Warn(CacheWarnings.NotUsable(Project, folder.Path, exception));
            return null;
        }
    }

    private bool TryRestore(CancellationToken cancellationToken)
    {
        try
        {
            if (_cache?.TryRestore(key, _names, target.Folder, (manifest, artifact) => DeliveredModel.Is(name, manifest, artifact), () => log.Warn(CacheWarnings.EntryDamaged(Project, name, _cache.Folder.Path)), cancellationToken) != true)
            {
                return false;
            }
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            log.Warn(CacheWarnings.NotUsable(Project, Root, exception));
            return false;
        }

        log.Report(DeliveryEvent.Restored(name, Bytes));
        Count(new CacheCounters(1, 0, 0), cancellationToken);
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
            if (remote.FindAsync(key, _names, cancellationToken).GetAwaiter().GetResult() is not { } found)
            {
                return false;
            }

            if (found.Files.Max(file => file.Bytes) is var largest && largest > MaxBytes)
            {
                throw new RemoteCacheException($"it announces {largest} bytes, more than this checkpoint's model can have");
            }

            if (!found.Files.All(file => remote.DownloadAsync(file, Path.Combine(run.Incoming, file.Name), cancellationToken).GetAwaiter().GetResult()))
            {
                return false;
            }

            if (!DeliveredModel.Is(name, Path.Combine(run.Incoming, _names.Manifest), Path.Combine(run.Incoming, _names.Artifact)))
            {
                throw new RemoteCacheException("what it stores under the key is not this model");
            }

            Keep(found, run.Incoming, cancellationToken);
            log.Report(DeliveryEvent.Downloaded(name, settings.Remote!.Display, found.Files.Sum(file => file.Bytes)));
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
        // A run that was killed between writing and publishing left its files.
        if (!_names.All.All(file => File.Exists(Path.Combine(run.Output, file))))
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
        FileBorder.Write(target.Folder, () =>
        {
            FileSystem.Current.CreateFolder(target.Folder);
            VerifiedFile.DiscardTemporary(target.Folder, _names.All);
        });
        foreach (var file in Present(from))
        {
            // Opened first: one that has gone is the cache's fault.
            using var source = ContentHash.OpenRead(Path.Combine(from, file));
            var waiting = VerifiedFile.Temporary(target.Folder, file);
            FileBorder.Write(target.Folder, () =>
            {
                FileSystem.Current.Copy(source.Name, waiting);
                FileSystem.Current.Sync(waiting);
            });
        }

        if (result is not null)
        {
            Tolerate(() => _cache?.Add(result, from, cancellationToken));
        }
    }

    // What a cache would keep for others, or tidy away, is not worth a build.
    private void Tolerate(Action work)
    {
        try
        {
            work();
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            log.Warn(CacheWarnings.NotUsable(Project, Root, exception));
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
            target.MarkUpload(false);
            return null;
        }

        FileStream? taken = null;
        try
        {
            taken = AsksRemote ? Pending.TryTake() : null;
            if (taken is not null)
            {
                target.MarkUpload(true);
            }

            return taken;
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            taken?.Dispose(); // The note stays here too.
            log.Warn(CacheWarnings.NotUsable(Project, Root, exception));
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
                made ??= Result(target.Folder, cancellationToken);
                using var remote = new RemoteCache(settings.Remote!);
                remote.UploadAsync(made, target.Folder, cancellationToken).GetAwaiter().GetResult();
                log.Report(DeliveryEvent.Uploaded(name, settings.Remote!.Display, made.Files.Sum(file => file.Bytes)));
            }
            catch (Exception exception) when (exception is RemoteCacheException || IsFailure(exception))
            {
                WarnOfRemote(exception);
            }
        }

        Pending.Remove();
        target.MarkUpload(false);
    }

    private void Tidy(CancellationToken cancellationToken)
    {
        if (_cache is null)
        {
            return;
        }

        Tolerate(() =>
        {
            target.Tidy();
            _cache.Trim(settings.MaxBytes, cancellationToken);
        });
    }

    private bool AsksRemote => settings.Remote is not null && !_isRemoteTroubled && !new RemoteTrouble(Root, Build).IsKnown;

    private long Bytes => Present(target.Folder).Sum(file => FileSystem.Current.Info(Path.Combine(target.Folder, file)).Length);

    // Reports go without the optional ones; a model without the others is none.
    private string[] Present(string folder)
    {
        string[] present = [.. _names.All.Where(file => File.Exists(Path.Combine(folder, file)))];
        return present.Contains(_names.Manifest) && present.Contains(_names.Artifact) ? present : throw new FileNotFoundException($"'{folder}' has lost the files of {name}.");
    }

    private void WarnOfRemote(Exception exception)
    {
        _isRemoteTroubled = true;
        var warning = CacheWarnings.RemoteFailed(Project, settings.Remote!.Display, exception);
        if (new RemoteTrouble(Root, Build).Note())
        {
            log.Warn(warning);
        }
        else
        {
            log.Detail(warning.Message);
        }
    }

    private void Count(CacheCounters more, CancellationToken cancellationToken)
    {
        if (_cache is not null)
        {
            Tolerate(() => CacheCounters.Add(_cache.Folder, more, cancellationToken));
        }
    }

    // Of a file, a folder or a lock.
    private static bool IsFailure(Exception exception) => exception is IOException or UnauthorizedAccessException or MASQuantException;
}
