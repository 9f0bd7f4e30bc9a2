using MASQuant.Formats.Files;

namespace MASQuant.Delivery.Caching;

/// <summary>A file of a finished quantization, known by its content.</summary>
/// <param name="Name">Its name, without a folder.</param>
/// <param name="Sha256">SHA-256 of its content, lower-case hexadecimal.</param>
/// <param name="Bytes">Its size.</param>
public sealed record CachedFile(string Name, string Sha256, long Bytes)
{
    /// <summary>Reads and hashes a file.</summary>
    public static CachedFile Of(string path, CancellationToken cancellationToken)
    {
        using var stream = ContentHash.OpenRead(path);
        return new CachedFile(Path.GetFileName(path), ContentHash.Of(stream, cancellationToken), stream.Length);
    }
}
