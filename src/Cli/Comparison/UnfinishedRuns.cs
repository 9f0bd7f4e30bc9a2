namespace MASQuant.Cli.Comparison;

/// <summary>Where interrupted quantizations keep their finished blocks: inside the output folder, so that the same command finds them.</summary>
internal static class UnfinishedRuns
{
    private const string Name = ".masquant";

    /// <summary>The work folder of a model.</summary>
    public static string FolderOf(string output, string model) => Path.Combine(output, Name, model);

    /// <summary>Deletes the folder of all unfinished runs once the last is finished; another model's may lie beside this one's.</summary>
    public static void Tidy(string workFolder)
    {
        var parent = Path.GetDirectoryName(workFolder);
        if (Directory.Exists(parent) && !Directory.EnumerateFileSystemEntries(parent).Any())
        {
            Directory.Delete(parent);
        }
    }
}
