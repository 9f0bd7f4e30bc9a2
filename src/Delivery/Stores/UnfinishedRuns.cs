using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Locks;
using MASQuant.Platform;

namespace MASQuant.Delivery.Stores;

/// <summary>Where runs that no cache keeps are unfinished: inside the output folder, so that the same command finds them.</summary>
public static class UnfinishedRuns
{
    private const string Name = ".masquant";

    /// <summary>The folder of all of them.</summary>
    public static string ParentOf(string output) => Path.Combine(output, Name);

    /// <summary>The work folder of a model.</summary>
    public static string FolderOf(string output, string model) => Path.Combine(ParentOf(output), model);

    /// <summary>Deletes the folder of all unfinished runs once the last is finished; another model's may lie beside this one's, or begin to at this moment, on another machine. A delivery without a usable cache also leaves its lock and what it noted of the remote cache there.</summary>
    public static void Tidy(string output)
    {
        var parent = ParentOf(output);
        try
        {
            if (Directory.Exists(parent) && FileSystem.Current.Files(parent, depth: SearchOption.AllDirectories).All(IsLeft))
            {
                Delete(parent);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MASQuantException)
        {
            // Somebody begins; who ends last tidies.
        }
    }

    // A lock that somebody holds is one of a run at work. Windows deletes no such file anyway.
    private static void DeleteLeft(FileInfo file)
    {
        using var alone = file.Directory!.Name == RunFolder.LockFolder && !OperatingSystem.IsWindows()
            ? FileLock.TryTake(file.FullName) ?? throw new IOException($"'{file.FullName}' is held.")
            : null;
        FileSystem.Current.Delete(file.FullName);
    }

    private static bool IsLeft(FileInfo file) => file.Directory!.Name is RunFolder.LockFolder or RemoteTrouble.Folder;

    // A folder that is not empty any more stays, which a recursive deletion would not look at.
    private static void Delete(string folder)
    {
        foreach (var inner in FileSystem.Current.Folders(folder).ToArray())
        {
            Delete(inner.FullName);
        }

        foreach (var file in FileSystem.Current.Files(folder).Where(IsLeft).ToArray())
        {
            DeleteLeft(file);
        }

        FileSystem.Current.DeleteFolder(folder, recursive: false);
    }
}
