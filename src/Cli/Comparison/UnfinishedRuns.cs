using MASQuant.Delivery.Caching;

namespace MASQuant.Cli.Comparison;

/// <summary>Where interrupted quantizations keep their finished blocks: inside the output folder, so that the same command finds them.</summary>
internal static class UnfinishedRuns
{
    private const string Name = ".masquant";

    /// <summary>The folder of all of them.</summary>
    public static string ParentOf(string output) => Path.Combine(output, Name);

    /// <summary>The work folder of a model.</summary>
    public static string FolderOf(string output, string model) => Path.Combine(ParentOf(output), model);

    /// <summary>Deletes the folder of all unfinished runs once the last is finished; another model's may lie beside this one's. A delivery without a usable cache also leaves its lock there.</summary>
    public static void Tidy(string workFolder)
    {
        var parent = Path.GetDirectoryName(workFolder);
        if (Directory.Exists(parent) && Directory.EnumerateFiles(parent, "*", SearchOption.AllDirectories).All(file => Path.GetFileName(Path.GetDirectoryName(file)) == RunFolder.LockFolder))
        {
            Directory.Delete(parent, recursive: true);
        }
    }
}
