namespace MASQuant.Tests;

/// <summary>Files that this process has open or mapped, where the system tells (Linux).</summary>
internal static class OpenFiles
{
    /// <summary>A line for each descriptor and each mapping of a file in <paramref name="folder"/>, in the order of files; descriptors that are closed meanwhile are left out.</summary>
    public static IReadOnlyList<string> Under(string folder)
    {
        var start = folder.TrimEnd('/') + '/';
        return OperatingSystem.IsLinux() ? [.. Descriptors().Concat(Mappings()).Where(line => line.Contains(start, StringComparison.Ordinal)).Order(StringComparer.Ordinal)] : [];
    }

    private static IEnumerable<string> Descriptors()
        => from descriptor in Directory.GetFileSystemEntries("/proc/self/fd") let target = Target(descriptor) where target is not null select $"open {target}";

    private static IEnumerable<string> Mappings()
        => from line in File.ReadLines("/proc/self/maps") let path = line.IndexOf('/', StringComparison.Ordinal) where path >= 0 select $"mapped {line[path..]}";

    private static string? Target(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
