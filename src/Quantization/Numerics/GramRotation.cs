using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>C ← H·C·H, the Gram matrix of rotated rows, H as <c>BlockHadamard</c> defines it.</summary>
internal static class GramRotation
{
    private const int PieceColumns = 256;

    /// <summary>Rotates a symmetric matrix in place.</summary>
    /// <param name="lower">[K, K], of which the lower triangle counts, before and after; the upper one is overwritten.</param>
    /// <param name="block">A power of two that divides K.</param>
    public static void Apply<T>(RealMatrix<T> lower, int block)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        lower.MirrorLower();
        var scale = T.One / T.CreateTruncating(block);
        Workers.For(lower.Rows, i =>
        {
            var row = lower.Row(i);
            for (var half = 1; half < block; half *= 2)
            {
                for (var start = 0; start < row.Length; start += 2 * half)
                {
                    Butterfly(row.Slice(start, half), row.Slice(start + half, half));
                }
            }

            Lanes.Scale(scale, row);
        });
        Workers.For((lower.Columns + PieceColumns - 1) / PieceColumns, piece =>
        {
            var (first, count) = (piece * PieceColumns, Math.Min(PieceColumns, lower.Columns - (piece * PieceColumns)));
            for (var half = 1; half < block; half *= 2)
            {
                for (var i = 0; i < lower.Rows; i++)
                {
                    if ((i & half) == 0)
                    {
                        Butterfly(lower.Row(i).Slice(first, count), lower.Row(i + half).Slice(first, count));
                    }
                }
            }
        });
    }

    // (a, b) ← (a + b, a − b).
    private static void Butterfly<T>(Span<T> a, Span<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = 0; i < a.Length; i++)
        {
            (a[i], b[i]) = (a[i] + b[i], a[i] - b[i]);
        }
    }
}
