using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Tensors;

/// <summary>The orthogonal rotation X·H, H block-diagonal of normalized Sylvester–Hadamard matrices: it spreads a loud channel over its block. H is symmetric and its own inverse, so (X·H)·(W·H)ᵀ = X·Wᵀ.</summary>
/// <remarks>Every value goes through the same additions, those of <c>ScalarGemmBackend</c>, whatever the vector width.</remarks>
public static class BlockHadamard
{
    /// <summary>The largest block that divides <paramref name="inputs"/>, a power of two: 18944 = 37 · 512, 11008 = 43 · 256.</summary>
    public static int LargestBlock(int inputs) => inputs & -inputs;

    /// <summary>Rotates a row in place.</summary>
    /// <param name="row">A multiple of <paramref name="block"/> values.</param>
    /// <param name="block">A power of two; 0 leaves the row as it is.</param>
    public static void Apply(Span<float> row, int block)
    {
        if (block == 0)
        {
            return;
        }

        var half = WithinVectors(row, block);
        for (; 4 * half <= block; half *= 4)
        {
            Quarters(row, half);
        }

        if (2 * half <= block)
        {
            Halves(row, half);
        }

        Scale(row, (float)(1 / Math.Sqrt(block)));
    }

    /// <summary>Rotates every row in place, [T, K].</summary>
    public static void Apply(Matrix x, int block)
    {
        if (x.Rows == 1)
        {
            Apply(x.Row(0), block);
        }
        else if (block > 0)
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

    /// <summary>The steps whose partners lie in one vector: a vector with its halves exchanged, plus itself, negated where the partner is subtracted from. Returns the first distance that is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int WithinVectors(Span<float> row, int block)
    {
        if (Vector512.IsHardwareAccelerated && block >= Vector512<float>.Count)
        {
            foreach (ref var vector in MemoryMarshal.Cast<float, Vector512<float>>(row))
            {
                var v = vector;
                v = Vector512.Shuffle(v, Vector512.Create(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)) + (v ^ Vector512.Create(0f, -0f, 0f, -0f, 0f, -0f, 0f, -0f, 0f, -0f, 0f, -0f, 0f, -0f, 0f, -0f));
                v = Vector512.Shuffle(v, Vector512.Create(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)) + (v ^ Vector512.Create(0f, 0f, -0f, -0f, 0f, 0f, -0f, -0f, 0f, 0f, -0f, -0f, 0f, 0f, -0f, -0f));
                v = Vector512.Shuffle(v, Vector512.Create(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)) + (v ^ Vector512.Create(0f, 0f, 0f, 0f, -0f, -0f, -0f, -0f, 0f, 0f, 0f, 0f, -0f, -0f, -0f, -0f));
                v = Vector512.Shuffle(v, Vector512.Create(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)) + (v ^ Vector512.Create(0f, 0f, 0f, 0f, 0f, 0f, 0f, 0f, -0f, -0f, -0f, -0f, -0f, -0f, -0f, -0f));
                vector = v;
            }

            return Vector512<float>.Count;
        }

        if (Vector256.IsHardwareAccelerated && block >= Vector256<float>.Count)
        {
            foreach (ref var vector in MemoryMarshal.Cast<float, Vector256<float>>(row))
            {
                var v = vector;
                v = Vector256.Shuffle(v, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6)) + (v ^ Vector256.Create(0f, -0f, 0f, -0f, 0f, -0f, 0f, -0f));
                v = Vector256.Shuffle(v, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5)) + (v ^ Vector256.Create(0f, 0f, -0f, -0f, 0f, 0f, -0f, -0f));
                v = Vector256.Shuffle(v, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3)) + (v ^ Vector256.Create(0f, 0f, 0f, 0f, -0f, -0f, -0f, -0f));
                vector = v;
            }

            return Vector256<float>.Count;
        }

        return 1;
    }

    /// <summary>Two steps at once, of partners <paramref name="half"/> and 2 · <paramref name="half"/> apart, so that memory is passed over half as often.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Quarters(Span<float> row, int half)
    {
        for (var start = 0; start < row.Length; start += 4 * half)
        {
            Span<float> p = row.Slice(start, half), q = row.Slice(start + half, half), r = row.Slice(start + (2 * half), half), s = row.Slice(start + (3 * half), half);
            var k = 0;
            for (; Vector512.IsHardwareAccelerated && k <= half - Vector512<float>.Count; k += Vector512<float>.Count)
            {
                Vector512<float> a = Vector512.Create<float>(p[k..]), b = Vector512.Create<float>(q[k..]), c = Vector512.Create<float>(r[k..]), d = Vector512.Create<float>(s[k..]);
                (a, b, c, d) = (a + b, a - b, c + d, c - d);
                (a + c).CopyTo(p[k..]);
                (b + d).CopyTo(q[k..]);
                (a - c).CopyTo(r[k..]);
                (b - d).CopyTo(s[k..]);
            }

            for (; Vector256.IsHardwareAccelerated && k <= half - Vector256<float>.Count; k += Vector256<float>.Count)
            {
                Vector256<float> a = Vector256.Create<float>(p[k..]), b = Vector256.Create<float>(q[k..]), c = Vector256.Create<float>(r[k..]), d = Vector256.Create<float>(s[k..]);
                (a, b, c, d) = (a + b, a - b, c + d, c - d);
                (a + c).CopyTo(p[k..]);
                (b + d).CopyTo(q[k..]);
                (a - c).CopyTo(r[k..]);
                (b - d).CopyTo(s[k..]);
            }

            for (; k < half; k++)
            {
                float a = p[k] + q[k], b = p[k] - q[k], c = r[k] + s[k], d = r[k] - s[k];
                (p[k], q[k], r[k], s[k]) = (a + c, b + d, a - c, b - d);
            }
        }
    }

    /// <summary>One step, of partners <paramref name="half"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves(Span<float> row, int half)
    {
        for (var start = 0; start < row.Length; start += 2 * half)
        {
            Span<float> p = row.Slice(start, half), q = row.Slice(start + half, half);
            var k = 0;
            for (; Vector256.IsHardwareAccelerated && k <= half - Vector256<float>.Count; k += Vector256<float>.Count)
            {
                Vector256<float> a = Vector256.Create<float>(p[k..]), b = Vector256.Create<float>(q[k..]);
                (a + b).CopyTo(p[k..]);
                (a - b).CopyTo(q[k..]);
            }

            for (; k < half; k++)
            {
                (p[k], q[k]) = (p[k] + q[k], p[k] - q[k]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(Span<float> row, float scale)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(row);
        foreach (ref var vector in vectors)
        {
            vector *= scale;
        }

        foreach (ref var value in row[(vectors.Length * Vector<float>.Count)..])
        {
            value *= scale;
        }
    }
}
