using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>Lets all projects and processes of one build warn of a remote cache once, and leave it alone from then on.</summary>
/// <param name="root">A folder that they share.</param>
/// <param name="build">Names the build; empty when it is unknown, and then nothing is shared.</param>
public sealed class RemoteTrouble(string root, string build)
{
    /// <summary>The folder of the notes.</summary>
    public const string Folder = "trouble";

    private static readonly TimeSpan Memory = TimeSpan.FromDays(1);

    private string File => Path.Combine(root, Folder, build);

    /// <summary>Whether somebody of this build warned.</summary>
    public bool IsKnown => Guid.TryParse(build, out _) && System.IO.File.Exists(File);

    /// <summary>Notes the trouble; true for the first of the build, which warns.</summary>
    public bool Note()
    {
        if (!Guid.TryParse(build, out _))
        {
            return true;
        }

        try
        {
            FileSystem.Current.CreateFolder(Path.GetDirectoryName(File)!);
            using var mark = FileSystem.Current.Open(File, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            return true;
        }
        catch (IOException) when (System.IO.File.Exists(File))
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Removes the notes of builds that are long over.</summary>
    public static void Forget(string root)
    {
        var folder = Path.Combine(root, Folder);
        var before = Clock.UtcNow - Memory;
        foreach (var note in Directory.Exists(folder) ? FileSystem.Current.Files(folder).Where(note => note.LastWriteTimeUtc < before).ToArray() : [])
        {
            FileSystem.Current.Delete(note.FullName);
        }
    }
}
