using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Weights;

/// <summary>Chooses how far a grid is shrunk below the largest weight: clipping a few weights can pay by rounding all others more finely.</summary>
internal static class ClipSearch
{
    private const int Steps = 40;
    private const float SmallestClip = 0.4f;

    /// <summary>The grid, among 41 from unclipped to 40 % of the range, with the least Σ_k d_k·(w_k − Q(w_k))². Of equals the widest.</summary>
    /// <param name="values">w.</param>
    /// <param name="importance">d, one weight per value.</param>
    /// <param name="scheme">Codes.</param>
    public static WeightGrid Best(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, QuantizationScheme scheme)
    {
        var (smallest, largest) = WeightGrid.Range(values);
        var best = WeightGrid.Of(smallest, largest, scheme);
        var least = Error(values, importance, best);
        for (var step = 1; step <= Steps; step++)
        {
            var candidate = WeightGrid.Of(smallest, largest, scheme, 1 - (step * (1 - SmallestClip) / Steps));
            var error = Error(values, importance, candidate);
            if (error < least)
            {
                (best, least) = (candidate, error);
            }
        }

        return best;
    }

    /// <summary>The m in 1…<see cref="PackingLayout.MaxGroupScale"/> for which a scale of m·<paramref name="unit"/> has the least error. Of equals the least.</summary>
    /// <param name="values">w.</param>
    /// <param name="importance">d, one weight per value.</param>
    /// <param name="grid">Codes and zero point.</param>
    /// <param name="unit">The first-level scale.</param>
    public static int BestMultiple(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, WeightGrid grid, float unit)
    {
        var (best, least) = (1, float.PositiveInfinity);
        for (var multiple = 1; multiple <= PackingLayout.MaxGroupScale; multiple++)
        {
            var error = Error(values, importance, grid with { Scale = unit * multiple });
            if (error < least)
            {
                (best, least) = (multiple, error);
            }
        }

        return best;
    }

    // In FP32, always in 512-bit lanes: two grids whose errors differ by less than its rounding are as good as each other, and every machine takes the same one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Error(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, WeightGrid grid)
    {
        var w = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var d = MemoryMarshal.Cast<float, Vector512<float>>(importance[..values.Length]);
        var (scale, inverse) = (Vector512.Create(grid.Scale), Vector512.Create(1 / grid.Scale));
        var (low, high) = (Vector512.Create((float)(grid.Smallest - grid.ZeroPoint)), Vector512.Create((float)(grid.Largest - grid.ZeroPoint)));
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < w.Length; i++)
        {
            var code = Vector512.Min(Vector512.Max(Vector512.Round(w[i] * inverse), low), high);
            var difference = w[i] - (code * scale);
            sums = Vector512.FusedMultiplyAdd(d[i] * difference, difference, sums);
        }

        var sum = 0f;
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            sum += sums[lane];
        }

        for (var k = w.Length * Vector512<float>.Count; k < values.Length; k++)
        {
            var difference = values[k] - (Math.Clamp(MathF.Round(values[k] * inverse[0]), low[0], high[0]) * grid.Scale);
            sum = MathF.FusedMultiplyAdd(importance[k] * difference, difference, sum);
        }

        return sum;
    }
}
