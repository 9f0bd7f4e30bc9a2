using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX-512 kernels for one token, which waits for memory: several panels at once are several streams for the prefetcher.</summary>
internal static unsafe class StreamKernelAvx512
{
    /// <summary>Panels of a call.</summary>
    public const int Panels = 4;

    // As in ByteKernelAvx512.
    private const int PrefetchBytes = 512;
    private const int StepsPerSum = 8;

    /// <summary>sums[4, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of one token [steps, 4] and 4-bit codes as they are stored, in panels of <paramref name="panelBytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunNibbles(int* token, byte* weights, nint panelBytes, int* sums, nint steps)
    {
        var ones = Vector512.Create((short)1);
        byte* weights1 = weights + panelBytes, weights2 = weights1 + panelBytes, weights3 = weights2 + panelBytes;
        Vector512<int> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        while (steps > 0)
        {
            var count = Math.Min(steps, StepsPerSum);
            steps -= count;
            Vector512<short> part0 = default, part1 = default, part2 = default, part3 = default;
            for (; count > 0; count -= 2)
            {
                var low = Vector512.Create(token[0]).AsSByte();
                var high = Vector512.Create(token[1]).AsSByte();
                part0 += Nibbles(weights, low, high);
                part1 += Nibbles(weights1, low, high);
                part2 += Nibbles(weights2, low, high);
                part3 += Nibbles(weights3, low, high);
                weights += 64;
                weights1 += 64;
                weights2 += 64;
                weights3 += 64;
                token += 2;
            }

            sum0 += Avx512BW.MultiplyAddAdjacent(part0, ones);
            sum1 += Avx512BW.MultiplyAddAdjacent(part1, ones);
            sum2 += Avx512BW.MultiplyAddAdjacent(part2, ones);
            sum3 += Avx512BW.MultiplyAddAdjacent(part3, ones);
        }

        sum0.Store(sums);
        sum1.Store(sums + 16);
        sum2.Store(sums + 32);
        sum3.Store(sums + 48);
    }

    /// <summary>The same for 8-bit codes and a token widened to words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunBytes(long* token, byte* weights, nint panelBytes, int* sums, nint steps)
    {
        byte* weights1 = weights + panelBytes, weights2 = weights1 + panelBytes, weights3 = weights2 + panelBytes;
        Vector512<int> low0 = default, low1 = default, low2 = default, low3 = default;
        Vector512<int> high0 = default, high1 = default, high2 = default, high3 = default;
        for (; steps > 0; steps--)
        {
            var run = Vector512.Create(*token++).AsInt16();
            low0 += Bytes(weights, run);
            high0 += Bytes(weights + 32, run);
            low1 += Bytes(weights1, run);
            high1 += Bytes(weights1 + 32, run);
            low2 += Bytes(weights2, run);
            high2 += Bytes(weights2 + 32, run);
            low3 += Bytes(weights3, run);
            high3 += Bytes(weights3 + 32, run);
            weights += 64;
            weights1 += 64;
            weights2 += 64;
            weights3 += 64;
        }

        WordKernelAvx512.AddPairs(low0, high0, sums);
        WordKernelAvx512.AddPairs(low1, high1, sums + 16);
        WordKernelAvx512.AddPairs(low2, high2, sums + 32);
        WordKernelAvx512.AddPairs(low3, high3, sums + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Bytes(byte* weights, Vector512<short> token)
    {
        Sse.Prefetch0(weights + PrefetchBytes);
        return Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)weights)), token);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Nibbles(byte* weights, Vector512<sbyte> low, Vector512<sbyte> high)
    {
        Sse.Prefetch0(weights + PrefetchBytes);
        var mask = Vector512.Create((byte)0xF);
        var codes = Vector512.Load(weights);
        return Avx512BW.MultiplyAddAdjacent(codes & mask, low)
            + Avx512BW.MultiplyAddAdjacent(Vector512.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask, high);
    }
}
