using MASQuant.Delivery.Caching;

namespace MASQuant.Delivery.Stores;

/// <summary>Where runs that no cache keeps are unfinished: inside the output folder, so that the same command finds them.</summary>
public static class UnfinishedRuns
{
    private const string Name = ".masquant";

    /// <summary>The folder of all of them.</summary>
    public static string ParentOf(string output) => Path.Combine(output, Name);

    /// <summary>The work folder of a model.</summary>
    public static string FolderOf(string output, string model) => Path.Combine(ParentOf(output), model);

    /// <summary>Deletes the folder of all unfinished runs once the last is finished; another model's may lie beside this one's. A delivery without a usable cache also leaves its lock and what it noted of the remote cache there.</summary>
    public static void Tidy(string output)
    {
        var parent = ParentOf(output);
        if (Directory.Exists(parent) && Directory.EnumerateFiles(parent, "*", SearchOption.AllDirectories).All(file => Path.GetFileName(Path.GetDirectoryName(file)) is RunFolder.LockFolder or RemoteTrouble.Folder))
        {
            Directory.Delete(parent, recursive: true);
        }
    }
}
