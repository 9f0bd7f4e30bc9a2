using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Solves with a lower triangular factor and many right-hand sides at once, in place, blocked.</summary>
internal static class TriangularSolve
{
    private const int Block = 64;
    private const int OuterBlock = 256;
    private const int PieceColumns = 256;

    /// <summary>B ← L⁻¹·B.</summary>
    /// <param name="lower">L, [K, K].</param>
    /// <param name="b">[K, n].</param>
    public static void Lower<T>(RealMatrix<T> lower, RealMatrix<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var outer = 0; outer < lower.Rows; outer += OuterBlock)
        {
            var last = Math.Min(outer + OuterBlock, lower.Rows);
            for (var start = outer; start < last; start += Block)
            {
                var end = Math.Min(start + Block, last);
                SolveLower(lower, b, start, end);
                Update(lower.Block(end, start, last - end, end - start), b, (start, end), (end, last));
            }

            Update(lower.Block(last, outer, lower.Rows - last, last - outer), b, (outer, last), (last, lower.Rows));
        }
    }

    /// <summary>B ← L⁻ᵀ·B.</summary>
    /// <param name="lower">L, [K, K].</param>
    /// <param name="b">[K, n].</param>
    public static void LowerTransposed<T>(RealMatrix<T> lower, RealMatrix<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var outer = (lower.Rows - 1) / OuterBlock * OuterBlock; outer >= 0; outer -= OuterBlock)
        {
            var last = Math.Min(outer + OuterBlock, lower.Rows);
            for (var start = outer + ((last - outer - 1) / Block * Block); start >= outer; start -= Block)
            {
                var end = Math.Min(start + Block, last);
                SolveTransposed(lower, b, start, end);
                Update(lower.Block(start, outer, end - start, start - outer).Transposed, b, (start, end), (outer, start));
            }

            Update(lower.Block(outer, 0, last - outer, outer).Transposed, b, (outer, last), (0, outer));
        }
    }

    private static void SolveLower<T>(RealMatrix<T> lower, RealMatrix<T> b, int start, int end)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => ForColumns(b, (from, count) =>
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

    private static void SolveTransposed<T>(RealMatrix<T> lower, RealMatrix<T> b, int start, int end)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => ForColumns(b, (from, count) =>
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

    // Takes what solved rows explain from rows that wait.
    private static void Update<T>(MatrixView<T> factor, RealMatrix<T> b, (int Start, int End) solved, (int Start, int End) waiting)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => RealGemm.Accumulate(factor, b.Block(solved.Start, 0, solved.End - solved.Start, b.Columns), b.Block(waiting.Start, 0, waiting.End - waiting.Start, b.Columns), subtract: true);

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
