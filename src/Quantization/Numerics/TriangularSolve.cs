using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Solves with a lower triangular factor and many right-hand sides at once, in place, blocked.</summary>
internal static class TriangularSolve
{
    private const int Block = 64;
    private const int PieceColumns = 256;

    /// <summary>B ← L⁻¹·B.</summary>
    /// <param name="lower">L, [K, K].</param>
    /// <param name="b">[K, n].</param>
    public static void Lower<T>(RealMatrix<T> lower, RealMatrix<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var size = lower.Rows;
        for (var start = 0; start < size; start += Block)
        {
            var end = Math.Min(start + Block, size);
            ForColumns(b, (from, count) =>
            {
                for (var i = start; i < end; i++)
                {
                    var row = b.Row(i).Slice(from, count);
                    for (var j = start; j < i; j++)
                    {
                        Lanes.AddScaled<T>(-lower[i, j], b.Row(j).Slice(from, count), row);
                    }

                    Divide(row, lower[i, i]);
                }
            });
            RealGemm.Accumulate(lower.Block(end, start, size - end, end - start), b.Block(start, 0, end - start, b.Columns), b.Block(end, 0, size - end, b.Columns), subtract: true);
        }
    }

    /// <summary>B ← L⁻ᵀ·B.</summary>
    /// <param name="lower">L, [K, K].</param>
    /// <param name="b">[K, n].</param>
    public static void LowerTransposed<T>(RealMatrix<T> lower, RealMatrix<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var size = lower.Rows;
        for (var start = (size - 1) / Block * Block; start >= 0; start -= Block)
        {
            var end = Math.Min(start + Block, size);
            ForColumns(b, (from, count) =>
            {
                for (var i = end - 1; i >= start; i--)
                {
                    var row = b.Row(i).Slice(from, count);
                    for (var j = end - 1; j > i; j--)
                    {
                        Lanes.AddScaled<T>(-lower[j, i], b.Row(j).Slice(from, count), row);
                    }

                    Divide(row, lower[i, i]);
                }
            });
            RealGemm.Accumulate(lower.Block(start, 0, end - start, start).Transposed, b.Block(start, 0, end - start, b.Columns), b.Block(0, 0, start, b.Columns), subtract: true);
        }
    }

    private static void ForColumns<T>(RealMatrix<T> b, Action<int, int> body)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Workers.For((b.Columns + PieceColumns - 1) / PieceColumns, piece => body(piece * PieceColumns, Math.Min(PieceColumns, b.Columns - (piece * PieceColumns))));

    private static void Divide<T>(Span<T> row, T divisor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < row.Length; i++)
        {
            row[i] /= divisor;
        }
    }
}
