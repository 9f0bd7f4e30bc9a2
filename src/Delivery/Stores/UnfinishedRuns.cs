using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Locks;

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
        var parent = new DirectoryInfo(ParentOf(output));
        try
        {
            if (parent.Exists && parent.EnumerateFiles("*", SearchOption.AllDirectories).All(IsLeft))
            {
                Delete(parent);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
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
        file.Delete();
    }

    private static bool IsLeft(FileInfo file) => file.Directory!.Name is RunFolder.LockFolder or RemoteTrouble.Folder;

    // A folder that is not empty any more stays, which a recursive deletion would not look at.
    private static void Delete(DirectoryInfo folder)
    {
        foreach (var inner in folder.EnumerateDirectories())
        {
            Delete(inner);
        }

        foreach (var file in folder.EnumerateFiles().Where(IsLeft))
        {
            DeleteLeft(file);
        }

        folder.Delete();
    }
}
