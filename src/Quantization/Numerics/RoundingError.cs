using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Numerics;

/// <summary>What rounding to a grid costs: the measure of every search for clips.</summary>
internal static class RoundingError
{
    /// <summary>Σ_k d_k·(x_k − Q(x_k))² with Q(x) = scale·clamp(round(x/scale)). In FP32, always in 512-bit lanes: two grids whose errors differ by less than its rounding are as good as each other, and every machine takes the same one.</summary>
    /// <param name="values">x.</param>
    /// <param name="importance">d, one weight per value.</param>
    /// <param name="scale">A step of the grid.</param>
    /// <param name="smallest">The least multiple of it.</param>
    /// <param name="largest">The greatest.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Of(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, float scale, float smallest, float largest)
    {
        var x = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var d = MemoryMarshal.Cast<float, Vector512<float>>(importance[..values.Length]);
        var (step, inverse) = (Vector512.Create(scale), Vector512.Create(1 / scale));
        var (low, high) = (Vector512.Create(smallest), Vector512.Create(largest));
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i++)
        {
            var code = Vector512.Min(Vector512.Max(Vector512.Round(x[i] * inverse), low), high);
            var difference = x[i] - (code * step);
            sums = Vector512.FusedMultiplyAdd(d[i] * difference, difference, sums);
        }

        var sum = 0f;
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            sum += sums[lane];
        }

        for (var k = x.Length * Vector512<float>.Count; k < values.Length; k++)
        {
            var difference = values[k] - (Math.Clamp(MathF.Round(values[k] * (1 / scale)), smallest, largest) * scale);
            sum = MathF.FusedMultiplyAdd(importance[k] * difference, difference, sum);
        }

        return sum;
    }
}
