using System.Globalization;

namespace MASQuant.Formats.Files;

/// <summary>What changes when a file's content does, as a rule, and costs no reading.</summary>
public static class FileStamp
{
    /// <summary>A file's size, the time of its last change, and for a link those of the file that it leads to, and its place.</summary>
    public static string Of(string path)
    {
        var file = LinkedFile.Target(path);
        var stamp = file.Length.ToString(CultureInfo.InvariantCulture) + ":" + file.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture);
        return file.FullName == path ? stamp : $"{stamp}:{file.FullName}";
    }
}
