using System.Buffers;
using MASQuant.Platform;

namespace MASQuant.Formats.Files;

/// <summary>Writes a file so that nobody ever sees a part of it: to a temporary file beside it, then renamed over it. What a killed writer left is removed when the same file is written again.</summary>
public static class AtomicFile
{
    /// <summary>How much longer a file's name is while it is written.</summary>
    internal const int AppendedBytes = 1 + UniqueLetters + 4;

    private const int BufferSize = 1 << 16;
    private const string Suffix = ".tmp";
    private const int UniqueLetters = 32;
    private static readonly SearchValues<char> Letters = SearchValues.Create("0123456789abcdef");
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    /// <summary>Replaces <paramref name="path"/> by what <paramref name="write"/> writes; creates its folder. If <paramref name="write"/> throws, the old file stays.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the disk is full, the folder is not writable, …</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        var temporary = $"{full}.{Guid.NewGuid():N}{Suffix}";
        FileBorder.Write(path, () =>
        {
            try
            {
                FileSystem.Current.CreateFolder(folder);
                RemoveAbandoned(folder, Path.GetFileName(full) + ".");
                using (var stream = FileSystem.Current.Open(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferSize))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                    FileSystem.Current.SetTime(stream.SafeFileHandle, Clock.UtcNow);
                }

                FileSystem.Current.Move(temporary, full);
                FileSystem.Current.SyncFolder(folder);
            }
            catch
            {
                TryDelete(temporary);
                throw;
            }
        });
    }

    /// <summary>Tries whether <paramref name="path"/> could be written where its folder is there: by a temporary file like that of <see cref="Write(string, Action{Stream})"/>, which is deleted. What a killed trial left is removed likewise.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    internal static void Try(string path)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}{Suffix}";
        RemoveAbandoned(Path.GetDirectoryName(path)!, Path.GetFileName(path) + ".");
        try
        {
            FileSystem.Current.Open(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1).Dispose();
        }
        finally
        {
            TryDelete(temporary);
        }
    }

    // Nobody has it open, and nobody can be about to: a living writer holds it from the moment that it is made to the one before it gets its name, far less than the grace.
    private static void RemoveAbandoned(string folder, string prefix)
    {
        var before = Clock.UtcNow - Grace;
        foreach (var file in FileSystem.Current.Files(folder, prefix + "*" + Suffix).Where(file => file.Name.Length == prefix.Length + UniqueLetters + Suffix.Length
            && !file.Name.AsSpan(prefix.Length, UniqueLetters).ContainsAnyExcept(Letters) && file.LastWriteTimeUtc < before))
        {
            try
            {
                using var alone = FileSystem.Current.Open(file.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody writes it, or it has gone.
            }
        }
    }

    // What failed is told, not that it could not be tidied either: the next writer does.
    private static void TryDelete(string temporary)
    {
        try
        {
            FileSystem.Current.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Replaces <paramref name="path"/> by <paramref name="content"/>.</summary>
    /// <exception cref="MASQuantException">MASQ0111.</exception>
    public static void Write(string path, ReadOnlyMemory<byte> content) => Write(path, stream => stream.Write(content.Span));
}
