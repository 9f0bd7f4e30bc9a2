using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MASQuant.Engine.Tensors;

namespace MASQuant.Bench;

/// <summary>What the machine can do at best: nothing but multiply-adds in registers, nothing but reads.</summary>
internal static unsafe class Roofs
{
    private const int Rounds = 6_000_000;

    /// <summary>Floating-point operations of one <see cref="MultiplyAdd"/> on one thread.</summary>
    public static double MultiplyAddOperations => 2.0 * 16 * 16 * Rounds;

    /// <summary>Runs independent fused multiply-adds on registers on every worker.</summary>
    public static void MultiplyAdd() => Workers.For(Workers.Count, _ => Chains());

    /// <summary>Reads <paramref name="length"/> bytes once, each worker its part.</summary>
    public static void Read(byte* data, long length) => Workers.For(Workers.Count, worker =>
    {
        var part = length / Workers.Count / 512 * 512;
        Streams(data + (worker * part), part);
    });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chains()
    {
        if (!Avx512F.IsSupported)
        {
            ChainsAvx2();
            return;
        }

        Vector512<float> x = Vector512.Create(0.5f), y = Vector512.Create(1f);
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y, m = y, n = y, o = y, p = y;
        for (var round = 0; round < Rounds; round++)
        {
            a = Avx512F.FusedMultiplyAdd(a, x, y);
            b = Avx512F.FusedMultiplyAdd(b, x, y);
            c = Avx512F.FusedMultiplyAdd(c, x, y);
            d = Avx512F.FusedMultiplyAdd(d, x, y);
            e = Avx512F.FusedMultiplyAdd(e, x, y);
            f = Avx512F.FusedMultiplyAdd(f, x, y);
            g = Avx512F.FusedMultiplyAdd(g, x, y);
            h = Avx512F.FusedMultiplyAdd(h, x, y);
            i = Avx512F.FusedMultiplyAdd(i, x, y);
            j = Avx512F.FusedMultiplyAdd(j, x, y);
            k = Avx512F.FusedMultiplyAdd(k, x, y);
            l = Avx512F.FusedMultiplyAdd(l, x, y);
            m = Avx512F.FusedMultiplyAdd(m, x, y);
            n = Avx512F.FusedMultiplyAdd(n, x, y);
            o = Avx512F.FusedMultiplyAdd(o, x, y);
            p = Avx512F.FusedMultiplyAdd(p, x, y);
        }

        Keep(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ChainsAvx2()
    {
        Vector256<float> x = Vector256.Create(0.5f), y = Vector256.Create(1f);
        Vector256<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y;
        for (var round = 0; round < 4 * Rounds; round++)
        {
            a = Fma.MultiplyAdd(a, x, y);
            b = Fma.MultiplyAdd(b, x, y);
            c = Fma.MultiplyAdd(c, x, y);
            d = Fma.MultiplyAdd(d, x, y);
            e = Fma.MultiplyAdd(e, x, y);
            f = Fma.MultiplyAdd(f, x, y);
            g = Fma.MultiplyAdd(g, x, y);
            h = Fma.MultiplyAdd(h, x, y);
        }

        Keep(Vector512.Create(a + b + c + d, e + f + g + h));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Streams(byte* data, long length)
    {
        // Eight streams a thread with prefetch: what cpu memory needs to show its full rate.
        var stride = (nint)(length / 8);
        Vector512<byte> a = default, b = default, c = default, d = default;
        for (nint i = 0; i < stride; i += 64)
        {
            for (var stream = 0; stream < 8 && Sse.IsSupported; stream++)
            {
                Sse.Prefetch0(data + (stream * stride) + i + 2048);
            }

            a ^= Vector512.Load(data + i) ^ Vector512.Load(data + (4 * stride) + i);
            b ^= Vector512.Load(data + stride + i) ^ Vector512.Load(data + (5 * stride) + i);
            c ^= Vector512.Load(data + (2 * stride) + i) ^ Vector512.Load(data + (6 * stride) + i);
            d ^= Vector512.Load(data + (3 * stride) + i) ^ Vector512.Load(data + (7 * stride) + i);
        }

        Keep((a ^ b ^ c ^ d).AsSingle());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(Vector512<float> value) => GC.KeepAlive(value == default ? null : string.Empty);
}
