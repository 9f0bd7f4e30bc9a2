using MASQuant.Diagnostics;

namespace MASQuant.Safetensors;

/// <summary>Writes a file so that nobody ever sees a part of it: to a temporary file beside it, then renamed over it.</summary>
public static class AtomicFile
{
    private const int BufferSize = 1 << 16;

    /// <summary>Replaces <paramref name="path"/> by what <paramref name="write"/> writes; creates its folder. If <paramref name="write"/> throws, the old file stays.</summary>
    /// <exception cref="MasQuantException">MASQ0111: the disk is full, the folder is not writable, …</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferSize))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception e)
        {
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }

            if (e is IOException or UnauthorizedAccessException)
            {
                throw new MasQuantException(DiagnosticCodes.FileNotWritable, path, $"The file cannot be written: {e.Message} Check the folder's permissions and free space.", e);
            }

            throw;
        }
    }

    /// <summary>Replaces <paramref name="path"/> by <paramref name="content"/>.</summary>
    /// <exception cref="MasQuantException">MASQ0111.</exception>
    public static void Write(string path, ReadOnlyMemory<byte> content) => Write(path, stream => stream.Write(content.Span));
}
