using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Element-wise products of spans of equal length.</summary>
internal static class VectorProduct
{
    /// <summary>result = a ⊙ b.</summary>
    public static void Multiply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> result)
    {
        var va = MemoryMarshal.Cast<float, Vector512<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector512<float>>(b[..a.Length]);
        var vr = MemoryMarshal.Cast<float, Vector512<float>>(result[..a.Length]);
        for (var i = 0; i < va.Length; i++)
        {
            vr[i] = va[i] * vb[i];
        }

        for (var k = va.Length * Vector512<float>.Count; k < a.Length; k++)
        {
            result[k] = a[k] * b[k];
        }
    }

    /// <summary>sum += a ⊙ b, fused.</summary>
    public static void AddProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> sum)
    {
        var va = MemoryMarshal.Cast<float, Vector512<float>>(a);
        var vb = MemoryMarshal.Cast<float, Vector512<float>>(b[..a.Length]);
        var vs = MemoryMarshal.Cast<float, Vector512<float>>(sum[..a.Length]);
        for (var i = 0; i < va.Length; i++)
        {
            vs[i] = Vector512.FusedMultiplyAdd(va[i], vb[i], vs[i]);
        }

        for (var k = va.Length * Vector512<float>.Count; k < a.Length; k++)
        {
            sum[k] = MathF.FusedMultiplyAdd(a[k], b[k], sum[k]);
        }
    }
}
