using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Rounds a row to a symmetric grid and carries gradients back. Rounding is v̂ = v + scale·e with e the rounding offset: the straight-through estimator holds e fixed, so a gradient reaches v directly and, through the scale, the entry that sets it.</summary>
internal static class FakeQuantizer
{
    /// <summary>v̂ with scale = max|v| / <paramref name="limit"/>. Returns the index that sets the scale, or −1 for a row of zeros.</summary>
    public static int Round(ReadOnlySpan<float> values, int limit, Span<float> rounded)
    {
        var peak = PeakIndex(values, out var largest);
        if (peak < 0)
        {
            rounded.Clear();
            return -1;
        }

        var scale = largest / limit;
        var inverse = limit / largest;
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var results = MemoryMarshal.Cast<float, Vector512<float>>(rounded);
        for (var i = 0; i < vectors.Length; i++)
        {
            results[i] = Vector512.Round(vectors[i] * inverse) * scale;
        }

        for (var k = vectors.Length * Vector512<float>.Count; k < values.Length; k++)
        {
            rounded[k] = MathF.Round(values[k] * inverse) * scale;
        }

        return peak;
    }

    /// <summary>Adds to <paramref name="gradient"/> (on entry ∂loss/∂v̂) what reaches the entry <paramref name="peak"/> through the scale, which makes it ∂loss/∂v.</summary>
    public static void AddScaleGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> rounded, int peak, Span<float> gradient)
    {
        if (peak >= 0)
        {
            // scale·limit = |v_peak|, and scale·e = v̂ − v.
            gradient[peak] += OffsetGradient(values, rounded, gradient) / values[peak];
        }
    }

    /// <summary>Σ_k gradient[k]·(v̂[k] − v[k]): the scale times the derivative by the scale.</summary>
    public static float OffsetGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> rounded, ReadOnlySpan<float> gradient)
    {
        var v = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var r = MemoryMarshal.Cast<float, Vector512<float>>(rounded);
        var g = MemoryMarshal.Cast<float, Vector512<float>>(gradient);
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < v.Length; i++)
        {
            sums = Vector512.FusedMultiplyAdd(g[i], r[i] - v[i], sums);
        }

        var sum = 0f;
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            sum += sums[lane];
        }

        for (var k = v.Length * Vector512<float>.Count; k < values.Length; k++)
        {
            sum = MathF.FusedMultiplyAdd(gradient[k], rounded[k] - values[k], sum);
        }

        return sum;
    }

    private static int PeakIndex(ReadOnlySpan<float> values, out float largest)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var peaks = Vector512<float>.Zero;
        foreach (var vector in vectors)
        {
            peaks = Vector512.Max(peaks, Vector512.Abs(vector));
        }

        largest = 0f;
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            largest = Math.Max(largest, peaks[lane]);
        }

        for (var k = vectors.Length * Vector512<float>.Count; k < values.Length; k++)
        {
            largest = Math.Max(largest, Math.Abs(values[k]));
        }

        if (largest == 0)
        {
            return -1;
        }

        for (var k = 0; k < values.Length; k++)
        {
            if (Math.Abs(values[k]) == largest)
            {
                return k;
            }
        }

        return -1;
    }
}
