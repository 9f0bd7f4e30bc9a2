namespace MASQuant.Build.Tests;

/// <summary>Operations on whole folders.</summary>
internal static class Folders
{
    /// <summary>Copies all files of <paramref name="from"/>, without the folders in it that <paramref name="except"/> names.</summary>
    public static void Copy(string from, string to, params string[] except)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(from, file);
            if (!except.Contains(path.Split(Path.DirectorySeparatorChar)[0]))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, path))!);
                File.Copy(file, Path.Combine(to, path), overwrite: true);
            }
        }
    }
}
