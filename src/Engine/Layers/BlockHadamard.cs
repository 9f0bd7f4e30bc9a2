using System.Numerics;
using System.Runtime.InteropServices;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>The orthogonal rotation X·H, H block-diagonal of normalized Sylvester–Hadamard matrices: it spreads a loud channel over its block. H is symmetric and its own inverse, so (X·H)·(W·H)ᵀ = X·Wᵀ.</summary>
public static class BlockHadamard
{
    /// <summary>The largest block that divides <paramref name="inputs"/>, a power of two: 18944 = 37 · 512, 11008 = 43 · 256.</summary>
    public static int LargestBlock(int inputs) => inputs & -inputs;

    /// <summary>Rotates a row in place. Every value goes through the same additions whatever the vector width.</summary>
    /// <param name="row">A multiple of <paramref name="block"/> values.</param>
    /// <param name="block">A power of two.</param>
    public static void Apply(Span<float> row, int block)
    {
        for (var half = 1; half < block; half *= 2)
        {
            for (var start = 0; start < row.Length; start += 2 * half)
            {
                Butterfly(row.Slice(start, half), row.Slice(start + half, half));
            }
        }

        var scale = (float)(1 / Math.Sqrt(block));
        foreach (ref var value in row)
        {
            value *= scale;
        }
    }

    /// <summary>Rotates every row in place, [T, K].</summary>
    public static void Apply(Matrix x, int block)
    {
        if (x.Rows == 1)
        {
            Apply(x.Row(0), block);
        }
        else
        {
            Workers.For(x.Rows, row => Apply(x.Row(row), block));
        }
    }

    /// <summary>The rows of <paramref name="x"/> rotated, a new matrix.</summary>
    public static Matrix Rotate(Matrix x, int block)
    {
        var rotated = x.Copy();
        Apply(rotated, block);
        return rotated;
    }

    // (a, b) ← (a + b, a − b).
    private static void Butterfly(Span<float> first, Span<float> second)
    {
        var a = MemoryMarshal.Cast<float, Vector<float>>(first);
        var b = MemoryMarshal.Cast<float, Vector<float>>(second);
        for (var i = 0; i < a.Length; i++)
        {
            (a[i], b[i]) = (a[i] + b[i], a[i] - b[i]);
        }

        for (var i = a.Length * Vector<float>.Count; i < first.Length; i++)
        {
            (first[i], second[i]) = (first[i] + second[i], first[i] - second[i]);
        }
    }
}
