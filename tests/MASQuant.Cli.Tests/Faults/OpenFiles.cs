namespace MASQuant.Cli.Tests.Faults;

/// <summary>What this process has open or mapped below a folder, on Linux; nothing where the system does not tell.</summary>
internal static class OpenFiles
{
    public static string[] Below(params string[] folders)
    {
        if (!OperatingSystem.IsLinux())
        {
            return [];
        }

        var open = Directory.GetFiles("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? "");
        var mapped = File.ReadLines("/proc/self/maps").Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries)).Where(fields => fields.Length == 6).Select(fields => fields[5]);
        return [.. open.Concat(mapped).Where(path => folders.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)))];
    }
}
