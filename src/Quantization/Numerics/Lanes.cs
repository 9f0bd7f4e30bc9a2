using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Numerics;

/// <summary>Vector loops over contiguous values. Always written in 512-bit lanes, which narrower machines execute in pieces, so that every machine adds in the same order.</summary>
internal static class Lanes
{
    /// <summary>a·b + c with one rounding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> FusedMultiplyAdd<T>(Vector512<T> a, Vector512<T> b, Vector512<T> c)
        => typeof(T) == typeof(float)
            ? Vector512.FusedMultiplyAdd(a.As<T, float>(), b.As<T, float>(), c.As<T, float>()).As<float, T>()
            : Vector512.FusedMultiplyAdd(a.As<T, double>(), b.As<T, double>(), c.As<T, double>()).As<double, T>();

    /// <summary>The nearest integers, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Round<T>(Vector512<T> values)
        => typeof(T) == typeof(float)
            ? Vector512.Round(values.As<T, float>()).As<float, T>()
            : Vector512.Round(values.As<T, double>()).As<double, T>();

    /// <summary>Σ a_i·b_i: one partial sum per lane, then the lanes in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Dot<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        var sums = Vector512<T>.Zero;
        ref var x = ref MemoryMarshal.GetReference(a);
        ref var y = ref MemoryMarshal.GetReference(b[..a.Length]);
        var i = 0;
        for (; i <= a.Length - lanes; i += lanes)
        {
            sums = FusedMultiplyAdd(Vector512.LoadUnsafe(ref x, (nuint)i), Vector512.LoadUnsafe(ref y, (nuint)i), sums);
        }

        var total = T.Zero;
        for (var lane = 0; lane < lanes; lane++)
        {
            total += sums[lane];
        }

        for (; i < a.Length; i++)
        {
            total = T.FusedMultiplyAdd(a[i], b[i], total);
        }

        return total;
    }

    /// <summary>y += scale·x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled<T>(T scale, ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        var scales = Vector512.Create(scale);
        ref var source = ref MemoryMarshal.GetReference(x);
        ref var target = ref MemoryMarshal.GetReference(y[..x.Length]);
        var i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            FusedMultiplyAdd(scales, Vector512.LoadUnsafe(ref source, (nuint)i), Vector512.LoadUnsafe(ref target, (nuint)i)).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < x.Length; i++)
        {
            y[i] = T.FusedMultiplyAdd(scale, x[i], y[i]);
        }
    }

    /// <summary>x *= scale.</summary>
    public static void Scale<T>(T scale, Span<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        ref var values = ref MemoryMarshal.GetReference(x);
        var i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            (Vector512.LoadUnsafe(ref values, (nuint)i) * scale).StoreUnsafe(ref values, (nuint)i);
        }

        for (; i < x.Length; i++)
        {
            x[i] *= scale;
        }
    }

    /// <summary>(x, y) ← (x + y, x − y).</summary>
    public static void Butterfly<T>(Span<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        ref var first = ref MemoryMarshal.GetReference(x);
        ref var second = ref MemoryMarshal.GetReference(y[..x.Length]);
        var i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            var (a, b) = (Vector512.LoadUnsafe(ref first, (nuint)i), Vector512.LoadUnsafe(ref second, (nuint)i));
            (a + b).StoreUnsafe(ref first, (nuint)i);
            (a - b).StoreUnsafe(ref second, (nuint)i);
        }

        for (; i < x.Length; i++)
        {
            (x[i], y[i]) = (x[i] + y[i], x[i] - y[i]);
        }
    }

    /// <summary>Rotates two rows: (x, y) ← (c·x − s·y, s·x + c·y).</summary>
    public static void Rotate<T>(T c, T s, Span<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        var (cosines, sines) = (Vector512.Create(c), Vector512.Create(s));
        ref var first = ref MemoryMarshal.GetReference(x);
        ref var second = ref MemoryMarshal.GetReference(y[..x.Length]);
        var i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            var a = Vector512.LoadUnsafe(ref first, (nuint)i);
            var b = Vector512.LoadUnsafe(ref second, (nuint)i);
            FusedMultiplyAdd(cosines, a, -(sines * b)).StoreUnsafe(ref first, (nuint)i);
            FusedMultiplyAdd(sines, a, cosines * b).StoreUnsafe(ref second, (nuint)i);
        }

        for (; i < x.Length; i++)
        {
            var (a, b) = (x[i], y[i]);
            x[i] = T.FusedMultiplyAdd(c, a, -(s * b));
            y[i] = T.FusedMultiplyAdd(s, a, c * b);
        }
    }
}
