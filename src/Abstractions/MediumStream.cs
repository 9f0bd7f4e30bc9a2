namespace MASQuant;

/// <summary>Reads media of which the length shows at their end, and no more of them than <see cref="ModelLimits.MediumBytes"/> and a piece.</summary>
internal static class MediumStream
{
    private const int PieceBytes = 1 << 16;

    /// <summary>The bytes up to the stream's end.</summary>
    /// <exception cref="MASQuantException">MASQ0320.</exception>
    public static byte[] Read(Stream stream, ModelLimits limits, string medium, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var piece = new byte[PieceBytes];
        while (stream.Read(piece) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Append(bytes, piece.AsSpan(0, read), limits, medium);
        }

        return bytes.ToArray();
    }

    /// <summary>The bytes up to the stream's end.</summary>
    /// <exception cref="MASQuantException">MASQ0320.</exception>
    public static async Task<byte[]> ReadAsync(Stream stream, ModelLimits limits, string medium, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var piece = new byte[PieceBytes];
        while (await stream.ReadAsync(piece, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested(); // Streams may answer without looking at it.
            Append(bytes, piece.AsSpan(0, read), limits, medium);
        }

        return bytes.ToArray();
    }

    private static void Append(MemoryStream bytes, ReadOnlySpan<byte> piece, ModelLimits limits, string medium)
    {
        var length = bytes.Length + piece.Length;
        (length > Array.MaxLength ? limits with { MediumBytes = Array.MaxLength } : limits).RequireBytes(length, medium);
        bytes.Write(piece);
    }
}
