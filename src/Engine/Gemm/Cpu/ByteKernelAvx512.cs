using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX-512 kernels for <see cref="CodeForm.Bytes"/> with 4-bit weights: 16 outputs × up to 12 tokens.</summary>
/// <remarks><c>vpmaddubsw</c> makes sums of two products, at most 2 · 15 · 127 = 3810; eight of them fit 16 bits, then <c>vpmaddwd</c> widens.</remarks>
internal static unsafe class ByteKernelAvx512
{
    /// <summary>The most tokens of a call.</summary>
    public const int MaxRows = 12;

    private const int StepsPerSum = 8;

    // Packed weights are streamed from memory once. Further ahead was slower on Zen 4.
    private const int PrefetchBytes = 512;

    /// <summary>sums[rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and unpacked weights [steps, 16, 4].</summary>
    public static void Run(int rows, int* tokens, byte* weights, int* sums, nint steps)
    {
        switch (rows)
        {
            case 1:
                Tile<Rows1>(tokens, weights, sums, steps);
                break;
            case 2:
                Tile<Rows2>(tokens, weights, sums, steps);
                break;
            case 3:
                Tile<Rows3>(tokens, weights, sums, steps);
                break;
            case 4:
                Tile<Rows4>(tokens, weights, sums, steps);
                break;
            case 5:
                Tile<Rows5>(tokens, weights, sums, steps);
                break;
            case 6:
                Tile<Rows6>(tokens, weights, sums, steps);
                break;
            case 7:
                Tile<Rows7>(tokens, weights, sums, steps);
                break;
            case 8:
                Tile<Rows8>(tokens, weights, sums, steps);
                break;
            case 9:
                Tile<Rows9>(tokens, weights, sums, steps);
                break;
            case 10:
                Tile<Rows10>(tokens, weights, sums, steps);
                break;
            case 11:
                Tile<Rows11>(tokens, weights, sums, steps);
                break;
            default:
                Tile<Rows12>(tokens, weights, sums, steps);
                break;
        }
    }

    /// <summary>The same for weights as they are stored, two steps in 64 bytes.</summary>
    public static void RunPacked(int rows, int* tokens, byte* weights, int* sums, nint steps)
    {
        switch (rows)
        {
            case 1:
                PackedTile<Rows1>(tokens, weights, sums, steps);
                break;
            case 2:
                PackedTile<Rows2>(tokens, weights, sums, steps);
                break;
            case 3:
                PackedTile<Rows3>(tokens, weights, sums, steps);
                break;
            case 4:
                PackedTile<Rows4>(tokens, weights, sums, steps);
                break;
            case 5:
                PackedTile<Rows5>(tokens, weights, sums, steps);
                break;
            case 6:
                PackedTile<Rows6>(tokens, weights, sums, steps);
                break;
            case 7:
                PackedTile<Rows7>(tokens, weights, sums, steps);
                break;
            case 8:
                PackedTile<Rows8>(tokens, weights, sums, steps);
                break;
            case 9:
                PackedTile<Rows9>(tokens, weights, sums, steps);
                break;
            case 10:
                PackedTile<Rows10>(tokens, weights, sums, steps);
                break;
            case 11:
                PackedTile<Rows11>(tokens, weights, sums, steps);
                break;
            default:
                PackedTile<Rows12>(tokens, weights, sums, steps);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows>(int* tokens, byte* weights, int* sums, nint steps)
        where TRows : IRowCount
    {
        var rows = TRows.Value;
        var ones = Vector512.Create((short)1);
        Vector512<int> sum0 = default;
        Vector512<int> sum1 = default;
        Vector512<int> sum2 = default;
        Vector512<int> sum3 = default;
        Vector512<int> sum4 = default;
        Vector512<int> sum5 = default;
        Vector512<int> sum6 = default;
        Vector512<int> sum7 = default;
        Vector512<int> sum8 = default;
        Vector512<int> sum9 = default;
        Vector512<int> sum10 = default;
        Vector512<int> sum11 = default;
        while (steps > 0)
        {
            var count = Math.Min(steps, StepsPerSum);
            steps -= count;
            Vector512<short> part0 = default;
            Vector512<short> part1 = default;
            Vector512<short> part2 = default;
            Vector512<short> part3 = default;
            Vector512<short> part4 = default;
            Vector512<short> part5 = default;
            Vector512<short> part6 = default;
            Vector512<short> part7 = default;
            Vector512<short> part8 = default;
            Vector512<short> part9 = default;
            Vector512<short> part10 = default;
            Vector512<short> part11 = default;
            do
            {
                var w = Vector512.Load(weights);
                part0 += Multiply(w, tokens[0]);
                if (rows > 1) part1 += Multiply(w, tokens[1]);
                if (rows > 2) part2 += Multiply(w, tokens[2]);
                if (rows > 3) part3 += Multiply(w, tokens[3]);
                if (rows > 4) part4 += Multiply(w, tokens[4]);
                if (rows > 5) part5 += Multiply(w, tokens[5]);
                if (rows > 6) part6 += Multiply(w, tokens[6]);
                if (rows > 7) part7 += Multiply(w, tokens[7]);
                if (rows > 8) part8 += Multiply(w, tokens[8]);
                if (rows > 9) part9 += Multiply(w, tokens[9]);
                if (rows > 10) part10 += Multiply(w, tokens[10]);
                if (rows > 11) part11 += Multiply(w, tokens[11]);
                weights += 64;
                tokens += rows;
            }
            while (--count != 0);

            sum0 += Avx512BW.MultiplyAddAdjacent(part0, ones);
            if (rows > 1) sum1 += Avx512BW.MultiplyAddAdjacent(part1, ones);
            if (rows > 2) sum2 += Avx512BW.MultiplyAddAdjacent(part2, ones);
            if (rows > 3) sum3 += Avx512BW.MultiplyAddAdjacent(part3, ones);
            if (rows > 4) sum4 += Avx512BW.MultiplyAddAdjacent(part4, ones);
            if (rows > 5) sum5 += Avx512BW.MultiplyAddAdjacent(part5, ones);
            if (rows > 6) sum6 += Avx512BW.MultiplyAddAdjacent(part6, ones);
            if (rows > 7) sum7 += Avx512BW.MultiplyAddAdjacent(part7, ones);
            if (rows > 8) sum8 += Avx512BW.MultiplyAddAdjacent(part8, ones);
            if (rows > 9) sum9 += Avx512BW.MultiplyAddAdjacent(part9, ones);
            if (rows > 10) sum10 += Avx512BW.MultiplyAddAdjacent(part10, ones);
            if (rows > 11) sum11 += Avx512BW.MultiplyAddAdjacent(part11, ones);
        }

        sum0.Store(sums);
        if (rows > 1) sum1.Store(sums + 16);
        if (rows > 2) sum2.Store(sums + 32);
        if (rows > 3) sum3.Store(sums + 48);
        if (rows > 4) sum4.Store(sums + 64);
        if (rows > 5) sum5.Store(sums + 80);
        if (rows > 6) sum6.Store(sums + 96);
        if (rows > 7) sum7.Store(sums + 112);
        if (rows > 8) sum8.Store(sums + 128);
        if (rows > 9) sum9.Store(sums + 144);
        if (rows > 10) sum10.Store(sums + 160);
        if (rows > 11) sum11.Store(sums + 176);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackedTile<TRows>(int* tokens, byte* weights, int* sums, nint steps)
        where TRows : IRowCount
    {
        var rows = TRows.Value;
        var ones = Vector512.Create((short)1);
        var mask = Vector512.Create((byte)0xF);
        Vector512<int> sum0 = default;
        Vector512<int> sum1 = default;
        Vector512<int> sum2 = default;
        Vector512<int> sum3 = default;
        Vector512<int> sum4 = default;
        Vector512<int> sum5 = default;
        Vector512<int> sum6 = default;
        Vector512<int> sum7 = default;
        Vector512<int> sum8 = default;
        Vector512<int> sum9 = default;
        Vector512<int> sum10 = default;
        Vector512<int> sum11 = default;
        while (steps > 0)
        {
            var count = Math.Min(steps, StepsPerSum);
            steps -= count;
            Vector512<short> part0 = default;
            Vector512<short> part1 = default;
            Vector512<short> part2 = default;
            Vector512<short> part3 = default;
            Vector512<short> part4 = default;
            Vector512<short> part5 = default;
            Vector512<short> part6 = default;
            Vector512<short> part7 = default;
            Vector512<short> part8 = default;
            Vector512<short> part9 = default;
            Vector512<short> part10 = default;
            Vector512<short> part11 = default;
            for (; count > 0; count -= 2)
            {
                var codes = Vector512.Load(weights);
                Sse.Prefetch0(weights + PrefetchBytes);
                var low = codes & mask;
                var high = Vector512.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask;
                part0 += Multiply(low, tokens[0]) + Multiply(high, tokens[rows]);
                if (rows > 1) part1 += Multiply(low, tokens[1]) + Multiply(high, tokens[rows + 1]);
                if (rows > 2) part2 += Multiply(low, tokens[2]) + Multiply(high, tokens[rows + 2]);
                if (rows > 3) part3 += Multiply(low, tokens[3]) + Multiply(high, tokens[rows + 3]);
                if (rows > 4) part4 += Multiply(low, tokens[4]) + Multiply(high, tokens[rows + 4]);
                if (rows > 5) part5 += Multiply(low, tokens[5]) + Multiply(high, tokens[rows + 5]);
                if (rows > 6) part6 += Multiply(low, tokens[6]) + Multiply(high, tokens[rows + 6]);
                if (rows > 7) part7 += Multiply(low, tokens[7]) + Multiply(high, tokens[rows + 7]);
                if (rows > 8) part8 += Multiply(low, tokens[8]) + Multiply(high, tokens[rows + 8]);
                if (rows > 9) part9 += Multiply(low, tokens[9]) + Multiply(high, tokens[rows + 9]);
                if (rows > 10) part10 += Multiply(low, tokens[10]) + Multiply(high, tokens[rows + 10]);
                if (rows > 11) part11 += Multiply(low, tokens[11]) + Multiply(high, tokens[rows + 11]);
                weights += 64;
                tokens += 2 * rows;
            }

            sum0 += Avx512BW.MultiplyAddAdjacent(part0, ones);
            if (rows > 1) sum1 += Avx512BW.MultiplyAddAdjacent(part1, ones);
            if (rows > 2) sum2 += Avx512BW.MultiplyAddAdjacent(part2, ones);
            if (rows > 3) sum3 += Avx512BW.MultiplyAddAdjacent(part3, ones);
            if (rows > 4) sum4 += Avx512BW.MultiplyAddAdjacent(part4, ones);
            if (rows > 5) sum5 += Avx512BW.MultiplyAddAdjacent(part5, ones);
            if (rows > 6) sum6 += Avx512BW.MultiplyAddAdjacent(part6, ones);
            if (rows > 7) sum7 += Avx512BW.MultiplyAddAdjacent(part7, ones);
            if (rows > 8) sum8 += Avx512BW.MultiplyAddAdjacent(part8, ones);
            if (rows > 9) sum9 += Avx512BW.MultiplyAddAdjacent(part9, ones);
            if (rows > 10) sum10 += Avx512BW.MultiplyAddAdjacent(part10, ones);
            if (rows > 11) sum11 += Avx512BW.MultiplyAddAdjacent(part11, ones);
        }

        sum0.Store(sums);
        if (rows > 1) sum1.Store(sums + 16);
        if (rows > 2) sum2.Store(sums + 32);
        if (rows > 3) sum3.Store(sums + 48);
        if (rows > 4) sum4.Store(sums + 64);
        if (rows > 5) sum5.Store(sums + 80);
        if (rows > 6) sum6.Store(sums + 96);
        if (rows > 7) sum7.Store(sums + 112);
        if (rows > 8) sum8.Store(sums + 128);
        if (rows > 9) sum9.Store(sums + 144);
        if (rows > 10) sum10.Store(sums + 160);
        if (rows > 11) sum11.Store(sums + 176);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Multiply(Vector512<byte> weights, int token)
        => Avx512BW.MultiplyAddAdjacent(weights, Vector512.Create(token).AsSByte());
}
