using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>The factorization A = L·Lᵀ of a symmetric positive definite matrix, blocked (K³/3 multiply-adds).</summary>
internal static class Cholesky
{
    // Columns whose factor is found at once; the rest of an outer block, and of the matrix, follows by products.
    private const int Block = 64;
    private const int OuterBlock = 256;
    private const int PieceRows = 64;

    /// <summary>Replaces the lower triangle of <paramref name="a"/> by L and clears the upper one.</summary>
    /// <returns>False when a pivot is not above rounding noise (K·ε of its diagonal entry): the lower triangle is then worthless, the upper one as it was.</returns>
    public static bool TryFactor<T>(RealMatrix<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var size = a.Rows;
        var floors = new T[size];
        for (var i = 0; i < size; i++)
        {
            floors[i] = a[i, i] * T.CreateTruncating(size) * (T.BitIncrement(T.One) - T.One);
        }

        for (var outer = 0; outer < size; outer += OuterBlock)
        {
            var last = Math.Min(outer + OuterBlock, size);
            for (var start = outer; start < last; start += Block)
            {
                var end = Math.Min(start + Block, last);
                if (!TryFactorDiagonal(a, start, end, floors))
                {
                    return false;
                }

                SolvePanel(a, start, end);
                Update(a, start, end, last);
            }

            Update(a, outer, last, size);
        }

        for (var i = 0; i < size; i++)
        {
            a.Row(i)[(i + 1)..].Clear();
        }

        return true;
    }

    private static bool TryFactorDiagonal<T>(RealMatrix<T> a, int start, int end, T[] floors)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = start; i < end; i++)
        {
            var row = a.Row(i)[start..];
            for (var j = start; j < i; j++)
            {
                row[j - start] = (row[j - start] - Lanes.Dot<T>(row[..(j - start)], a.Row(j)[start..j])) / a[j, j];
            }

            var pivot = a[i, i] - Lanes.Dot<T>(row[..(i - start)], row[..(i - start)]);
            if (!(pivot > floors[i]) || !T.IsFinite(pivot))
            {
                return false;
            }

            a[i, i] = T.Sqrt(pivot);
        }

        return true;
    }

    /// <summary>Takes what columns from <paramref name="start"/> to <paramref name="end"/> explain from the columns behind them, up to <paramref name="last"/>.</summary>
    private static void Update<T>(RealMatrix<T> a, int start, int end, int last)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var below = a.Block(end, start, a.Rows - end, end - start);
        RealGemm.Accumulate(below, a.Block(end, start, last - end, end - start).Transposed, a.Block(end, end, a.Rows - end, last - end), subtract: true, lowerOnly: true);
    }

    /// <summary>Rows below the diagonal block: L21 = A21·L11⁻ᵀ.</summary>
    private static void SolvePanel<T>(RealMatrix<T> a, int start, int end)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var upper = RealMatrix<T>.From(a.Block(start, start, end - start, end - start).Transposed);
        var pieces = (a.Rows - end + PieceRows - 1) / PieceRows;
        Workers.For(pieces, piece =>
        {
            var first = end + (piece * PieceRows);
            for (var i = first; i < Math.Min(first + PieceRows, a.Rows); i++)
            {
                var row = a.Row(i)[start..end];
                for (var j = 0; j < row.Length; j++)
                {
                    row[j] /= upper[j, j];
                    Lanes.AddScaled<T>(-row[j], upper.Row(j)[(j + 1)..], row[(j + 1)..]);
                }
            }
        });
    }
}
