namespace MASQuant.Tests;

/// <summary>Files that this process has open or mapped, where the system tells (Linux).</summary>
internal static class OpenFiles
{
    /// <summary>A line for each descriptor and each mapping of a file in <paramref name="folder"/>, sorted.</summary>
    public static IReadOnlyList<string> Under(string folder)
    {
        var start = folder.TrimEnd('/') + '/';
        return OperatingSystem.IsLinux() ? [.. Descriptors().Select(path => $"open {path}").Concat(Mappings().Select(path => $"mapped {path}")).Where(line => line.Contains(start, StringComparison.Ordinal)).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>What each descriptor stands for; those that are closed meanwhile are left out.</summary>
    public static IEnumerable<string> Descriptors()
        => from descriptor in Directory.GetFileSystemEntries("/proc/self/fd") let target = Target(descriptor) where target is not null select target;

    /// <summary>The file of each mapping of one.</summary>
    public static IEnumerable<string> Mappings()
        => from line in File.ReadLines("/proc/self/maps") let path = line.IndexOf('/', StringComparison.Ordinal) where path >= 0 select line[path..];

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
