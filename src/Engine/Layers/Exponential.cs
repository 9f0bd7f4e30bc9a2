using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Layers;

/// <summary>eˣ for 16 lanes with the same bits on every machine: only fused multiply-adds, additions and shifts, none of which the hardware may round in its own way.</summary>
internal static class Exponential
{
    /// <summary>Below it the result is 0 (e⁻¹⁰⁴ is less than half the smallest subnormal).</summary>
    private const float Lowest = -104f;

    /// <summary>Above it the result is infinite.</summary>
    private const float Highest = 89f;

    /// <summary>1.5 · 2²³: adding it rounds to an integer, which then stands in the low bits.</summary>
    private const float Rounder = 12582912f;

    /// <summary>ln 2 in two parts; the first has 15 significant bits, so that its product with an exponent is exact.</summary>
    private const float Ln2High = 0.693145751953125f;

    private const float Ln2Low = 1.42860677e-6f;

    /// <summary>eˣ, to within one unit in the last place; NaN stays NaN.</summary>
    // Inlined, it exhausts the JIT's budget in its callers, which then call every 512-bit operation without AVX-512: 30 times slower.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Vector512<float> Of(Vector512<float> x) => Compute(x);

    /// <summary>Replaces x by e^((x − <paramref name="largest"/>)·<paramref name="scale"/>); returns the sums of every 16th.</summary>
    /// <param name="values">A multiple of 16.</param>
    /// <param name="count">How many.</param>
    /// <param name="largest">Of x.</param>
    /// <param name="scale">Positive.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe Vector512<float> Weigh(float* values, int count, float largest, float scale)
    {
        var (top, factor, sum) = (Vector512.Create(largest), Vector512.Create(scale), Vector512<float>.Zero);
        for (var i = 0; i < count; i += Lanes.Count)
        {
            var weight = Compute((Vector512.Load(values + i) - top) * factor);
            weight.Store(values + i);
            sum += weight;
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Compute(Vector512<float> x)
    {
        x = Vector512.Min(Vector512.Max(x, Vector512.Create(Lowest)), Vector512.Create(Highest));

        // x = n·ln 2 + r with |r| ≤ ln 2 / 2.
        var shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(1.44269504f), Vector512.Create(Rounder));
        var n = shifted - Vector512.Create(Rounder);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r);

        // The Taylor polynomial of degree 7: what it leaves out is below 1.05·r⁸/8! ≤ 6e-9.
        var p = Vector512.Create(1f / 5040);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 720));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 120));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 24));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);

        // 2ⁿ in two factors, because n reaches beyond the exponents of normal numbers at either end.
        var exponent = shifted.AsInt32() - Vector512.Create(Rounder).AsInt32();
        var half = Vector512.ShiftRightArithmetic(exponent, 1);
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    private static Vector512<float> PowerOfTwo(Vector512<int> exponent)
        => Vector512.ShiftLeft(exponent + Vector512.Create(127), 23).AsSingle();
}
