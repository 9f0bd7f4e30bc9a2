using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>C ← H·C·H, the Gram matrix of rotated rows, H as <c>BlockHadamard</c> defines it.</summary>
internal static class GramRotation
{
    /// <summary>Rotates a symmetric matrix in place.</summary>
    /// <param name="lower">[K, K], of which the lower triangle counts, before and after; some of the upper one is overwritten.</param>
    /// <param name="block">A power of two that divides K.</param>
    public static void Apply<T>(RealMatrix<T> lower, int block)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // Blocks on and below the diagonal need no others: C·H mixes a block's columns, H·C its rows.
        var scale = T.One / T.CreateTruncating(block);
        var blocks = lower.Rows / block;
        Workers.For(blocks, piece =>
        {
            var first = piece * block;
            for (var i = first; i < first + block; i++)
            {
                for (var j = i + 1; j < first + block; j++)
                {
                    lower[i, j] = lower[j, i];
                }
            }

            for (var start = 0; start <= first; start += block)
            {
                for (var i = first; i < first + block; i++)
                {
                    var row = lower.Row(i).Slice(start, block);
                    for (var half = 1; half < block; half *= 2)
                    {
                        for (var j = 0; j < block; j += 2 * half)
                        {
                            Lanes.Butterfly(row.Slice(j, half), row.Slice(j + half, half));
                        }
                    }

                    Lanes.Scale(scale, row);
                }

                for (var half = 1; half < block; half *= 2)
                {
                    for (var i = 0; i < block; i++)
                    {
                        if ((i & half) == 0)
                        {
                            Lanes.Butterfly(lower.Row(first + i).Slice(start, block), lower.Row(first + i + half).Slice(start, block));
                        }
                    }
                }
            }
        });
    }
}
