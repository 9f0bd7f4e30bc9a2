using System.Text;
using MASQuant.Diagnostics;

namespace MASQuant.Formats.Files;

/// <summary>Whether a file or folder can be written, tried before the work whose result it is to hold. Nothing is left behind, no folder is created.</summary>
public static class WritableTarget
{
    // What names of the files in a folder, and of those that stand in for them while they are written, may add to its path.
    private const int Reserve = 512;

    private const string Trial = ".masquant-trial";

    // The terminating zero included; Windows' long paths are longer than any that is typed.
    private static readonly int MaxPathBytes = OperatingSystem.IsMacOS() ? 1024 : OperatingSystem.IsWindows() ? 32767 : 4096;

    /// <summary>A file, whose folder is created if it is missing.</summary>
    /// <exception cref="MASQuantException">MASQ0111: it cannot be written.</exception>
    public static void RequireFile(string path)
    {
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path))
        {
            throw Refused(path, "It is a folder. Name a file in it.");
        }

        if (!RegularFile.Is(path))
        {
            throw Refused(path, "It is no regular file but a pipe, a socket or a device. Name a file.");
        }

        TryIn(path, Path.GetDirectoryName(Path.GetFullPath(path))!, AtomicFile.AppendedBytes + 1);
    }

    /// <summary>A folder, which is created if it is missing.</summary>
    /// <exception cref="MASQuantException">MASQ0111: it is a file, or nothing can be written there.</exception>
    public static void RequireFolder(string path) => TryIn(path, Path.GetFullPath(path), Reserve);

    private static void TryIn(string path, string folder, int reserve)
    {
        if (Encoding.UTF8.GetByteCount(Path.GetFullPath(path)) + reserve > MaxPathBytes)
        {
            throw Refused(path, $"Its path has more than the {MaxPathBytes - reserve} bytes that the system allows. Choose a shorter one.");
        }

        // What is missing is created where the folders end that there are.
        while (!Directory.Exists(folder))
        {
            if (File.Exists(folder) || Path.GetDirectoryName(folder) is not { } parent)
            {
                throw Refused(path, $"'{folder}' is no folder. Name another.");
            }

            folder = parent;
        }

        FileBorder.Write(path, () => AtomicFile.Try(Path.Combine(folder, Trial)));
    }

    private static MASQuantException Refused(string path, string why) => new(DiagnosticCodes.FileNotWritable, path, why);
}
