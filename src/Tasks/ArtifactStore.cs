using MASQuant.Artifacts;
using MASQuant.Facts;

namespace MASQuant.Tasks;

/// <summary>Finished artifacts by key, in a folder that every configuration and target framework of a project shares. A key's artifact appears last and at once, so whoever sees it sees all.</summary>
internal sealed class ArtifactStore(string folder)
{
    private const int PollMilliseconds = 100;

    /// <summary>Where <see cref="FileHashes"/> are remembered.</summary>
    public string HashMemo => Path.Combine(folder, "hashes.tsv");

    public string Artifact(string key, string name) => Path.Combine(folder, key, name + ModelFiles.ArtifactSuffix);

    /// <summary>The manifest, or before quantization the plan.</summary>
    public string Manifest(string key, string name) => Path.Combine(folder, key, name + ModelFiles.ManifestSuffix);

    /// <summary>What reports tell beside the manifest; need not exist.</summary>
    public string Facts(string key, string name) => Path.Combine(folder, key, name + FactsFile.FactsSuffix);

    /// <summary>How long quantizing took; need not exist.</summary>
    public string Times(string key, string name) => Path.Combine(folder, key, name + FactsFile.TimesSuffix);

    /// <summary>Receives the pipeline's output before it is published.</summary>
    public string Partial(string key) => Path.Combine(folder, key + ".partial");

    /// <summary>Keeps finished layers of an interrupted run.</summary>
    public string Work(string key) => Path.Combine(folder, key + ".work");

    public bool Contains(string key, string name) => File.Exists(Artifact(key, name)) && File.Exists(Manifest(key, name));

    /// <summary>Moves the pipeline's output to its place: first what reports read beside the artifact, as far as it is there, and the artifact last.</summary>
    public void Publish(string key, string name)
    {
        var places = new[] { Facts(key, name), Times(key, name) }.Where(place => File.Exists(InPartial(key, place))).Append(Manifest(key, name)).Append(Artifact(key, name));
        Directory.CreateDirectory(Path.Combine(folder, key));
        foreach (var place in places)
        {
            File.Move(InPartial(key, place), place, overwrite: true);
        }
    }

    private string InPartial(string key, string place) => Path.Combine(Partial(key), Path.GetFileName(place));

    /// <summary>Deletes output that was not published. (The pipeline deletes its own work folder when it is done.)</summary>
    public void DiscardPartial(string key)
    {
        if (Directory.Exists(Partial(key)))
        {
            Directory.Delete(Partial(key), recursive: true);
        }
    }

    /// <summary>Waits until no other process works on <paramref name="key"/>. The operating system frees the lock of a process that dies. Calls <paramref name="waiting"/> once when there is something to wait for.</summary>
    public FileStream Lock(string key, Action waiting, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, key + ".lock");
        for (var first = true; ; first = false)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException exception) when (exception is not (DirectoryNotFoundException or PathTooLongException))
            {
                if (first)
                {
                    waiting();
                }

                cancellation.WaitHandle.WaitOne(PollMilliseconds);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }
}
