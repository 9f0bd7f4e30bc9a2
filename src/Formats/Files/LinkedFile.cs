using MASQuant.Platform;

namespace MASQuant.Formats.Files;

/// <summary>Files that may be links, as those of the hub's cache: the size and the time of a link are its own, and tell nothing of the file.</summary>
public static class LinkedFile
{
    /// <summary>The file that a path leads to in the end: itself, unless it is a link.</summary>
    /// <exception cref="IOException">Links lead in a circle.</exception>
    public static FileInfo Target(string path)
    {
        var file = FileSystem.Current.Info(path);
        return file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
    }

    /// <summary>The bytes of the file that a path leads to.</summary>
    public static long Length(string path) => Target(path).Length;
}
