using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX-512 kernels for <see cref="CodeForm.Words"/>: 16 outputs × up to 12 tokens, exact by <c>vpmaddwd</c>.</summary>
internal static unsafe class WordKernelAvx512
{
    /// <summary>The most tokens of a call.</summary>
    public const int MaxRows = 12;

    // As in ByteKernelAvx512; only stored bytes come from memory.
    private const int PrefetchBytes = 512;

    /// <summary>sums[rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and weights [steps, 16, 4], which are 8-bit codes as they are stored when <paramref name="stored"/>, else words.</summary>
    public static void Run(int rows, long* tokens, byte* weights, bool stored, int* sums, nint steps)
    {
        switch (rows)
        {
            case 1:
                Tile<Rows1>(tokens, weights, stored, sums, steps);
                break;
            case 2:
                Tile<Rows2>(tokens, weights, stored, sums, steps);
                break;
            case 3:
                Tile<Rows3>(tokens, weights, stored, sums, steps);
                break;
            case 4:
                Tile<Rows4>(tokens, weights, stored, sums, steps);
                break;
            case 5:
                Tile<Rows5>(tokens, weights, stored, sums, steps);
                break;
            case 6:
                Tile<Rows6>(tokens, weights, stored, sums, steps);
                break;
            case 7:
                Tile<Rows7>(tokens, weights, stored, sums, steps);
                break;
            case 8:
                Tile<Rows8>(tokens, weights, stored, sums, steps);
                break;
            case 9:
                Tile<Rows9>(tokens, weights, stored, sums, steps);
                break;
            case 10:
                Tile<Rows10>(tokens, weights, stored, sums, steps);
                break;
            case 11:
                Tile<Rows11>(tokens, weights, stored, sums, steps);
                break;
            default:
                Tile<Rows12>(tokens, weights, stored, sums, steps);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows>(long* tokens, byte* weights, bool stored, int* sums, nint steps)
        where TRows : IRowCount
    {
        // Lane 2i and 2i + 1 of "low" belong to output i, those of "high" to output 8 + i.
        var rows = TRows.Value;
        Vector512<int> low0 = default, high0 = default;
        Vector512<int> low1 = default, high1 = default;
        Vector512<int> low2 = default, high2 = default;
        Vector512<int> low3 = default, high3 = default;
        Vector512<int> low4 = default, high4 = default;
        Vector512<int> low5 = default, high5 = default;
        Vector512<int> low6 = default, high6 = default;
        Vector512<int> low7 = default, high7 = default;
        Vector512<int> low8 = default, high8 = default;
        Vector512<int> low9 = default, high9 = default;
        Vector512<int> low10 = default, high10 = default;
        Vector512<int> low11 = default, high11 = default;
        do
        {
            Vector512<short> low, high;
            if (stored)
            {
                low = Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)weights));
                high = Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)weights + 32));
                Sse.Prefetch0(weights + PrefetchBytes);
                weights += 64;
            }
            else
            {
                low = Vector512.Load((short*)weights);
                high = Vector512.Load((short*)weights + 32);
                weights += 128;
            }

            Vector512<short> token;
            token = Vector512.Create(tokens[0]).AsInt16();
            low0 += Avx512BW.MultiplyAddAdjacent(low, token);
            high0 += Avx512BW.MultiplyAddAdjacent(high, token);
            if (rows > 1) { token = Vector512.Create(tokens[1]).AsInt16(); low1 += Avx512BW.MultiplyAddAdjacent(low, token); high1 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 2) { token = Vector512.Create(tokens[2]).AsInt16(); low2 += Avx512BW.MultiplyAddAdjacent(low, token); high2 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 3) { token = Vector512.Create(tokens[3]).AsInt16(); low3 += Avx512BW.MultiplyAddAdjacent(low, token); high3 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 4) { token = Vector512.Create(tokens[4]).AsInt16(); low4 += Avx512BW.MultiplyAddAdjacent(low, token); high4 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 5) { token = Vector512.Create(tokens[5]).AsInt16(); low5 += Avx512BW.MultiplyAddAdjacent(low, token); high5 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 6) { token = Vector512.Create(tokens[6]).AsInt16(); low6 += Avx512BW.MultiplyAddAdjacent(low, token); high6 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 7) { token = Vector512.Create(tokens[7]).AsInt16(); low7 += Avx512BW.MultiplyAddAdjacent(low, token); high7 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 8) { token = Vector512.Create(tokens[8]).AsInt16(); low8 += Avx512BW.MultiplyAddAdjacent(low, token); high8 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 9) { token = Vector512.Create(tokens[9]).AsInt16(); low9 += Avx512BW.MultiplyAddAdjacent(low, token); high9 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 10) { token = Vector512.Create(tokens[10]).AsInt16(); low10 += Avx512BW.MultiplyAddAdjacent(low, token); high10 += Avx512BW.MultiplyAddAdjacent(high, token); }
            if (rows > 11) { token = Vector512.Create(tokens[11]).AsInt16(); low11 += Avx512BW.MultiplyAddAdjacent(low, token); high11 += Avx512BW.MultiplyAddAdjacent(high, token); }
            tokens += rows;
        }
        while (--steps != 0);

        AddPairs(low0, high0, sums);
        if (rows > 1) AddPairs(low1, high1, sums + 16);
        if (rows > 2) AddPairs(low2, high2, sums + 32);
        if (rows > 3) AddPairs(low3, high3, sums + 48);
        if (rows > 4) AddPairs(low4, high4, sums + 64);
        if (rows > 5) AddPairs(low5, high5, sums + 80);
        if (rows > 6) AddPairs(low6, high6, sums + 96);
        if (rows > 7) AddPairs(low7, high7, sums + 112);
        if (rows > 8) AddPairs(low8, high8, sums + 128);
        if (rows > 9) AddPairs(low9, high9, sums + 144);
        if (rows > 10) AddPairs(low10, high10, sums + 160);
        if (rows > 11) AddPairs(low11, high11, sums + 176);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddPairs(Vector512<int> low, Vector512<int> high, int* sums)
    {
        var even = Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        (Avx512F.PermuteVar16x32x2(low, even, high) + Avx512F.PermuteVar16x32x2(low, even + Vector512<int>.One, high)).Store(sums);
    }
}
