namespace MASQuant.Formats.Safetensors;

/// <summary>The mapped bytes of a tensor of any size, row by row: in pieces of whole rows, since a span holds 2 GiB.</summary>
public sealed class TensorRows
{
    /// <summary>The most bytes of a piece, unless one row has more.</summary>
    public const int MaxPieceBytes = 1 << 30;

    // What packs rows takes so many at once, and is not to be stopped by the end of a piece.
    private const int RowMultiple = 64;

    private readonly ReadOnlyMemory<byte>[] _pieces;

    private TensorRows(ReadOnlyMemory<byte>[] pieces, int rowsPerPiece, int rowBytes) => (_pieces, RowsPerPiece, RowBytes) = (pieces, rowsPerPiece, rowBytes);

    /// <summary>The pieces, in order.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces => _pieces;

    /// <summary>The rows of each piece but the last, which may have fewer; a multiple of 64.</summary>
    public int RowsPerPiece { get; }

    /// <summary>The bytes of a row.</summary>
    public int RowBytes { get; }

    /// <summary>The rows of a tensor: its first extent.</summary>
    /// <param name="source">Must outlive the result.</param>
    /// <param name="tensor">One of its tensors; 64 rows of it have less than 2 GiB.</param>
    /// <param name="maxPieceBytes">The most bytes of a piece, unless 64 rows have more.</param>
    public static TensorRows Of(ITensorSource source, TensorInfo tensor, int maxPieceBytes = MaxPieceBytes)
    {
        var rows = tensor.Shape[0];
        var rowBytes = checked((int)(tensor.Bytes / Math.Max(1, rows)));
        var rowsPerPiece = Math.Max(1, maxPieceBytes / Math.Max(1, rowBytes) / RowMultiple) * RowMultiple;
        var pieces = new List<ReadOnlyMemory<byte>>();
        for (var first = 0; first < rows; first += rowsPerPiece)
        {
            pieces.Add(source.Bytes(tensor.Name, (long)first * rowBytes, checked(Math.Min(rowsPerPiece, rows - first) * rowBytes)));
        }

        return new TensorRows([.. pieces], rowsPerPiece, rowBytes);
    }

    /// <summary>One row.</summary>
    public ReadOnlySpan<byte> Row(int row) => _pieces[row / RowsPerPiece].Span.Slice(row % RowsPerPiece * RowBytes, RowBytes);
}
