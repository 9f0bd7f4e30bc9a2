using MASQuant.Delivery.Locks;
using MASQuant.Platform;
using MASQuant.Quantization.Run;

namespace MASQuant.Delivery.Caching;

/// <summary>Where quantizing under a key keeps everything that is not finished. Whoever holds the key's lock is alone in it, so what a killed process left is the next one's to use and to remove.</summary>
/// <param name="root">The shared cache, or the project's own folder when the cache is off.</param>
/// <param name="key">The key.</param>
public sealed class RunFolder(string root, string key)
{
    /// <summary>The folder of all unfinished runs.</summary>
    public const string Parent = "work";

    /// <summary>The folder of the locks of all keys.</summary>
    public const string LockFolder = "locks";

    /// <summary>The folder itself.</summary>
    public string Path { get; } = System.IO.Path.Combine(root, Parent, key);

    /// <summary>Finished layers, from which the next run resumes.</summary>
    public string Layers => System.IO.Path.Combine(Path, "layers");

    /// <summary>The pipeline's output.</summary>
    public string Output => System.IO.Path.Combine(Path, "output");

    /// <summary>Downloads.</summary>
    public string Incoming => System.IO.Path.Combine(Path, "incoming");

    /// <summary>The file that is locked while somebody works under <paramref name="key"/>.</summary>
    public static string LockFile(string root, string key) => System.IO.Path.Combine(root, LockFolder, key);

    /// <summary>Waits until no other process works under the key.</summary>
    public FileStream Lock(Action waiting, CancellationToken cancellationToken) => FileLock.Take(LockFile(root, key), waiting, cancellationToken);

    /// <summary>The job as it runs here. Output of a run that did not get to its end is removed, finished layers are kept.</summary>
    public QuantizationJob Start(QuantizationJob job)
    {
        if (Directory.Exists(Output))
        {
            FileSystem.Current.DeleteFolder(Output, recursive: true);
        }

        return job with { OutputFolder = Output, WorkFolder = Layers, Key = key };
    }

    /// <summary>Removes the folder, and the folder of all runs after the last.</summary>
    public void Delete()
    {
        if (Directory.Exists(Path))
        {
            FileSystem.Current.DeleteFolder(Path, recursive: true);
        }
    }
}
