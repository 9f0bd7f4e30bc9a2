using MASQuant.Delivery.Locks;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>The note that an artifact is due at the remote cache. It is made before the artifact can be used and goes when the upload has ended, so one that is there and that nobody holds tells of an upload that was killed.</summary>
/// <param name="root">The shared cache, or the project's own folder when the cache is off.</param>
/// <param name="key">The artifact's key.</param>
public sealed class PendingUpload(string root, string key)
{
    private const string Folder = "uploads";

    /// <summary>The note, which is also a lock.</summary>
    public string File { get; } = Path.Combine(root, Folder, key);

    /// <summary>Whether an upload is due, or under way.</summary>
    public bool IsNoted => System.IO.File.Exists(File);

    /// <summary>Notes that an upload is due, and takes it on; null when another process is at it.</summary>
    public FileStream? TryTake() => FileLock.TryTake(File);

    /// <summary>Takes the note away.</summary>
    public void Remove()
    {
        try
        {
            FileSystem.Current.Delete(File);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Somebody looks at it; then the next build uploads once more, and nothing changes.
        }
    }
}
