using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX2 kernels for <see cref="CodeForm.Bytes"/>: 16 outputs × up to 6 tokens with <c>vpdpbusd</c>, 4 without.</summary>
internal static unsafe class ByteKernelAvx2
{
    /// <summary>The most tokens of a call that reads packed weights.</summary>
    public const int MaxPackedRows = 4;

    // As in ByteKernelAvx512.
    private const int PrefetchBytes = 512;

    /// <summary>The most tokens of a call: as many as 16 registers hold.</summary>
    public static int MaxRows(bool vnni) => vnni ? 6 : 4;

    /// <summary>sums[rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and unpacked weights [steps, 16, 4].</summary>
    public static void Run(bool vnni, int rows, int* tokens, byte* weights, int* sums, nint steps)
    {
        if (vnni)
        {
            Run<VnniDot>(rows, tokens, weights, sums, steps);
        }
        else
        {
            Run<PairDot>(rows, tokens, weights, sums, steps);
        }
    }

    /// <summary>The same for 4-bit weights as they are stored, two steps in 64 bytes; at most <see cref="MaxPackedRows"/> rows.</summary>
    public static void RunPacked(bool vnni, int rows, int* tokens, byte* weights, int* sums, nint steps)
    {
        if (vnni)
        {
            RunPacked<VnniDot>(rows, tokens, weights, sums, steps);
        }
        else
        {
            RunPacked<PairDot>(rows, tokens, weights, sums, steps);
        }
    }

    private static void Run<TDot>(int rows, int* tokens, byte* weights, int* sums, nint steps)
        where TDot : IByteDot
    {
        switch (rows)
        {
            case 1:
                Tile<Rows1, TDot>(tokens, weights, sums, steps);
                break;
            case 2:
                Tile<Rows2, TDot>(tokens, weights, sums, steps);
                break;
            case 3:
                Tile<Rows3, TDot>(tokens, weights, sums, steps);
                break;
            case 4:
                Tile<Rows4, TDot>(tokens, weights, sums, steps);
                break;
            case 5:
                Tile<Rows5, TDot>(tokens, weights, sums, steps);
                break;
            default:
                Tile<Rows6, TDot>(tokens, weights, sums, steps);
                break;
        }
    }

    private static void RunPacked<TDot>(int rows, int* tokens, byte* weights, int* sums, nint steps)
        where TDot : IByteDot
    {
        switch (rows)
        {
            case 1:
                PackedTile<Rows1, TDot>(tokens, weights, sums, steps);
                break;
            case 2:
                PackedTile<Rows2, TDot>(tokens, weights, sums, steps);
                break;
            case 3:
                PackedTile<Rows3, TDot>(tokens, weights, sums, steps);
                break;
            default:
                PackedTile<Rows4, TDot>(tokens, weights, sums, steps);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows, TDot>(int* tokens, byte* weights, int* sums, nint steps)
        where TRows : IRowCount
        where TDot : IByteDot
    {
        var rows = TRows.Value;
        Vector256<int> low0 = default, high0 = default;
        Vector256<int> low1 = default, high1 = default;
        Vector256<int> low2 = default, high2 = default;
        Vector256<int> low3 = default, high3 = default;
        Vector256<int> low4 = default, high4 = default;
        Vector256<int> low5 = default, high5 = default;
        do
        {
            Vector256<byte> low = Vector256.Load(weights), high = Vector256.Load(weights + 32);
            Vector256<sbyte> token;
            token = Vector256.Create(tokens[0]).AsSByte();
            low0 = TDot.Add(low0, low, token);
            high0 = TDot.Add(high0, high, token);
            if (rows > 1) { token = Vector256.Create(tokens[1]).AsSByte(); low1 = TDot.Add(low1, low, token); high1 = TDot.Add(high1, high, token); }
            if (rows > 2) { token = Vector256.Create(tokens[2]).AsSByte(); low2 = TDot.Add(low2, low, token); high2 = TDot.Add(high2, high, token); }
            if (rows > 3) { token = Vector256.Create(tokens[3]).AsSByte(); low3 = TDot.Add(low3, low, token); high3 = TDot.Add(high3, high, token); }
            if (rows > 4) { token = Vector256.Create(tokens[4]).AsSByte(); low4 = TDot.Add(low4, low, token); high4 = TDot.Add(high4, high, token); }
            if (rows > 5) { token = Vector256.Create(tokens[5]).AsSByte(); low5 = TDot.Add(low5, low, token); high5 = TDot.Add(high5, high, token); }
            weights += 64;
            tokens += rows;
        }
        while (--steps != 0);

        Store(low0, high0, sums);
        if (rows > 1) Store(low1, high1, sums + 16);
        if (rows > 2) Store(low2, high2, sums + 32);
        if (rows > 3) Store(low3, high3, sums + 48);
        if (rows > 4) Store(low4, high4, sums + 64);
        if (rows > 5) Store(low5, high5, sums + 80);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackedTile<TRows, TDot>(int* tokens, byte* weights, int* sums, nint steps)
        where TRows : IRowCount
        where TDot : IByteDot
    {
        var rows = TRows.Value;
        var mask = Vector256.Create((byte)0xF);
        Vector256<int> low0 = default, low1 = default, low2 = default, low3 = default;
        Vector256<int> high0 = default, high1 = default, high2 = default, high3 = default;
        for (; steps > 0; steps -= 2)
        {
            Sse.Prefetch0(weights + PrefetchBytes);
            Vector256<byte> low = Vector256.Load(weights), high = Vector256.Load(weights + 32);
            var (lowCodes, highCodes) = (low & mask, high & mask);
            Vector256<sbyte> token;
            token = Vector256.Create(tokens[0]).AsSByte();
            low0 = TDot.Add(low0, lowCodes, token);
            high0 = TDot.Add(high0, highCodes, token);
            if (rows > 1) { token = Vector256.Create(tokens[1]).AsSByte(); low1 = TDot.Add(low1, lowCodes, token); high1 = TDot.Add(high1, highCodes, token); }
            if (rows > 2) { token = Vector256.Create(tokens[2]).AsSByte(); low2 = TDot.Add(low2, lowCodes, token); high2 = TDot.Add(high2, highCodes, token); }
            if (rows > 3) { token = Vector256.Create(tokens[3]).AsSByte(); low3 = TDot.Add(low3, lowCodes, token); high3 = TDot.Add(high3, highCodes, token); }
            lowCodes = Vector256.ShiftRightLogical(low.AsUInt16(), 4).AsByte() & mask;
            highCodes = Vector256.ShiftRightLogical(high.AsUInt16(), 4).AsByte() & mask;
            tokens += rows;
            token = Vector256.Create(tokens[0]).AsSByte();
            low0 = TDot.Add(low0, lowCodes, token);
            high0 = TDot.Add(high0, highCodes, token);
            if (rows > 1) { token = Vector256.Create(tokens[1]).AsSByte(); low1 = TDot.Add(low1, lowCodes, token); high1 = TDot.Add(high1, highCodes, token); }
            if (rows > 2) { token = Vector256.Create(tokens[2]).AsSByte(); low2 = TDot.Add(low2, lowCodes, token); high2 = TDot.Add(high2, highCodes, token); }
            if (rows > 3) { token = Vector256.Create(tokens[3]).AsSByte(); low3 = TDot.Add(low3, lowCodes, token); high3 = TDot.Add(high3, highCodes, token); }
            tokens += rows;
            weights += 64;
        }

        Store(low0, high0, sums);
        if (rows > 1) Store(low1, high1, sums + 16);
        if (rows > 2) Store(low2, high2, sums + 32);
        if (rows > 3) Store(low3, high3, sums + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> low, Vector256<int> high, int* sums)
    {
        low.Store(sums);
        high.Store(sums + 8);
    }
}
