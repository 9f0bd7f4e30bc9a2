using MASQuant.Delivery.Locks;

namespace MASQuant.Delivery.Caching;

/// <summary>Where the shared cache is, and the places in it: <c>ac/KEY</c> says what quantizing under a key gave, <c>cas/SHA256</c> holds contents, as a bazel-remote server names them; <c>work/KEY</c> holds unfinished runs.</summary>
public sealed class CacheFolder(string path)
{
    /// <summary>The name of the cache's folder in the user's.</summary>
    public const string Name = "masquant";

    private const string StoreLock = "store";

    /// <summary>The folder.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>What was found under keys.</summary>
    public string Actions => In("ac");

    /// <summary>Contents by hash.</summary>
    public string Contents => In("cas");

    /// <summary>Unfinished runs by key.</summary>
    public string Runs => In(RunFolder.Parent);

    /// <summary>How often the cache served.</summary>
    public string Counters => In("counters");

    public string Action(string key) => System.IO.Path.Combine(Actions, key);

    public string Content(string sha256) => System.IO.Path.Combine(Contents, sha256);

    public RunFolder Run(string key) => new(Path, key);

    /// <summary>Takes a key's lock, or null while somebody works under it.</summary>
    public FileStream? TryLock(string key) => FileLock.TryTake(RunFolder.LockFile(Path, key));

    /// <summary>Waits for the lock over entries coming and going. It is held for moments; nobody waits for another lock meanwhile.</summary>
    public FileStream LockStore(CancellationToken cancellationToken) => FileLock.Take(RunFolder.LockFile(Path, StoreLock), null, cancellationToken);

    /// <summary>The user's cache folder: <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>, <c>~/Library/Caches</c> on macOS, the local application data on Windows; with <c>masquant</c> behind it. Null for a user without a home.</summary>
    public static string? Default()
    {
        if (OperatingSystem.IsWindows())
        {
            return Below(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData));
        }

        // The specification ignores relative paths.
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } folder && System.IO.Path.IsPathRooted(folder) ? Below(folder)
            : OperatingSystem.IsMacOS() ? Below(home, "Library", "Caches")
            : Below(home, ".cache");
    }

    private static string? Below(string home, params string[] folders) => home.Length > 0 ? System.IO.Path.Combine([home, .. folders, Name]) : null;

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
