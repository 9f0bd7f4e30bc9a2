using MASQuant.Diagnostics;

namespace MASQuant.Formats.Files;

/// <summary>Where what the system says of a file becomes an error with a code, the file and a remedy.</summary>
public static class FileBorder
{
    /// <summary>Reads a file or a folder's names.</summary>
    /// <exception cref="MASQuantException">MASQ0101: it cannot be read.</exception>
    public static T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, path, $"The file cannot be read: {e.Message.TrimEnd('.')}. Check the path and its permissions.", e);
        }
    }

    /// <summary>Writes, renames or deletes a file.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the disk is full, the folder is not writable, …</exception>
    public static void Write(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotWritable, path, $"The file cannot be written: {e.Message.TrimEnd('.')}. Check the folder's permissions and free space.", e);
        }
    }
}
