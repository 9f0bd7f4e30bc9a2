using MASQuant.Diagnostics;

namespace MASQuant;

/// <summary>Where the bytes of an image or an audio clip come from: a file, read when they are needed, or memory.</summary>
public sealed record MediaSource
{
    private readonly ReadOnlyMemory<byte> _bytes;

    private MediaSource(string? path, string name, ReadOnlyMemory<byte> bytes) => (Path, Name, _bytes) = (path, name, bytes);

    /// <summary>The file, or null when the bytes are in memory.</summary>
    public string? Path { get; }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>A file; a relative path is relative to the current directory.</summary>
    public static MediaSource File(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path, path, default);
    }

    /// <summary>Bytes in memory, not copied; <paramref name="name"/> is for messages.</summary>
    public static MediaSource Memory(ReadOnlyMemory<byte> bytes, string name) => new(null, name, bytes);

    /// <summary>The bytes of a PNG, JPEG or WAV file.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.FileNotReadable"/></exception>
    public ReadOnlyMemory<byte> Read()
    {
        if (Path is null)
        {
            return _bytes;
        }

        try
        {
            return System.IO.File.ReadAllBytes(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, Path,
                $"The media file cannot be read: {error.Message} Correct the path, or the file's permissions.", error);
        }
    }
}
