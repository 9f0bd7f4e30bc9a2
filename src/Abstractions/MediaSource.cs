using MASQuant.Diagnostics;
using MASQuant.Platform;

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
    public ReadOnlyMemory<byte> Read() => Read(new ModelLimits { MediumBytes = Array.MaxLength });

    /// <summary>The bytes of a PNG, JPEG or WAV file, unless there are more than <see cref="ModelLimits.MediumBytes"/>; no more are read.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.FileNotReadable"/> or <see cref="DiagnosticCodes.MediumTooLarge"/></exception>
    public ReadOnlyMemory<byte> Read(ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return ReadHere(limits, default);
    }

    /// <summary>The same, but nobody waits longer than they want for a pipe that nobody writes, or that has no end.</summary>
    internal ReadOnlyMemory<byte> Read(ModelLimits limits, CancellationToken cancellationToken)
        => Path is null || !cancellationToken.CanBeCanceled ? ReadHere(limits, default) : BlockingCall.Run(() => ReadHere(limits, cancellationToken), cancellationToken);

    private ReadOnlyMemory<byte> ReadHere(ModelLimits limits, CancellationToken cancellationToken)
    {
        if (Path is null)
        {
            limits.RequireBytes(_bytes.Length, Name);
            return _bytes;
        }

        try
        {
            using var file = FileSystem.Current.Open(Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            return file.CanSeek ? ReadFile(file, limits) : ReadPipe(file, limits, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, Path,
                $"The media file cannot be read: {error.Message} Correct the path, or the file's permissions.", error);
        }
    }

    private byte[] ReadFile(FileStream file, ModelLimits limits)
    {
        limits.RequireBytes(file.Length, Path);
        var bytes = LargeArray.Zeros<byte>(checked((int)file.Length));
        file.ReadExactly(bytes);
        return bytes;
    }

    // Its length shows at its end.
    private byte[] ReadPipe(FileStream pipe, ModelLimits limits, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var piece = new byte[1 << 16];
        while (pipe.Read(piece) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            limits.RequireBytes(bytes.Length + read, Path);
            bytes.Write(piece, 0, read);
        }

        return bytes.ToArray();
    }
}
