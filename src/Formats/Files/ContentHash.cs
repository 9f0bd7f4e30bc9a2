using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using MASQuant.Platform;

namespace MASQuant.Formats.Files;

/// <summary>SHA-256 of contents that may be large, as 64 lower-case hexadecimal digits.</summary>
public static class ContentHash
{
    /// <summary>The digits of a hash, and of a key.</summary>
    public const int Digits = 64;

    private const int BufferSize = 1 << 20;

    /// <summary>Whether a text is a hash or a key. Nothing else becomes part of a path or an address.</summary>
    public static bool IsHash(string text) => text.Length == Digits && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Hashes a file. A Git LFS pointer counts as the file that it stands for.</summary>
    /// <exception cref="MASQuantException">MASQ0101: it is no regular file, or cannot be read.</exception>
    public static string OfFile(string path, CancellationToken cancellationToken = default)
    {
        RegularFile.Require(path);
        return FileBorder.Read(path, () =>
        {
            if (LfsPointer.ReadSha256(LinkedFile.Target(path)) is { } known)
            {
                return known;
            }

            using var stream = OpenRead(path);
            return Of(stream, cancellationToken);
        });
    }

    /// <summary>Hashes to the end.</summary>
    public static string Of(Stream stream, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Hashes a text, as UTF-8.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Opens a file to be read from its beginning to its end; others may delete it meanwhile.</summary>
    public static FileStream OpenRead(string path) => FileSystem.Current.Open(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, options: FileOptions.SequentialScan);
}
