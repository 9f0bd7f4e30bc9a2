using System.Text;

namespace MASQuant.Formats.Files;

/// <summary>How long names of files may be, so that a name is refused before the work whose result it is to bear.</summary>
public static class FileNames
{
    /// <summary>The most bytes, as UTF-8, of a file or folder that is written: the 255 that file systems hold, less what <see cref="AtomicFile"/> appends meanwhile.</summary>
    public const int MaxBytes = 255 - AtomicFile.AppendedBytes;

    /// <summary>What is wrong with the names of a path, a sentence; null: nothing.</summary>
    public static string? ProblemOf(string path)
        => path.Split(['/', '\\']).FirstOrDefault(name => Encoding.UTF8.GetByteCount(name) > MaxBytes) is { } name
            ? $"The name '{name[..32]}…' has {Encoding.UTF8.GetByteCount(name)} bytes; names of files and folders that are written may have {MaxBytes}. Choose a shorter one."
            : null;
}
