using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX2 kernels for <see cref="CodeForm.Words"/>: 16 outputs × up to 3 tokens, exact by <c>vpmaddwd</c>.</summary>
internal static unsafe class WordKernelAvx2
{
    /// <summary>The most tokens of a call.</summary>
    public const int MaxRows = 3;

    /// <summary>sums[rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and weights [steps, 16, 4].</summary>
    public static void Run(int rows, long* tokens, short* weights, int* sums, nint steps)
    {
        switch (rows)
        {
            case 1:
                Tile<Rows1>(tokens, weights, sums, steps);
                break;
            case 2:
                Tile<Rows2>(tokens, weights, sums, steps);
                break;
            default:
                Tile<Rows3>(tokens, weights, sums, steps);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows>(long* tokens, short* weights, int* sums, nint steps)
        where TRows : IRowCount
    {
        // Lane 2i and 2i + 1 of the four vectors a … d of a row belong to outputs i, 4 + i, 8 + i, 12 + i.
        var rows = TRows.Value;
        Vector256<int> a0 = default, b0 = default, c0 = default, d0 = default;
        Vector256<int> a1 = default, b1 = default, c1 = default, d1 = default;
        Vector256<int> a2 = default, b2 = default, c2 = default, d2 = default;
        do
        {
            var token = Vector256.Create(tokens[0]).AsInt16();
            a0 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights), token);
            b0 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 16), token);
            c0 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 32), token);
            d0 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 48), token);
            if (rows > 1)
            {
                token = Vector256.Create(tokens[1]).AsInt16();
                a1 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights), token);
                b1 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 16), token);
                c1 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 32), token);
                d1 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 48), token);
            }

            if (rows > 2)
            {
                token = Vector256.Create(tokens[2]).AsInt16();
                a2 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights), token);
                b2 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 16), token);
                c2 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 32), token);
                d2 += Avx2.MultiplyAddAdjacent(Vector256.Load(weights + 48), token);
            }

            weights += 64;
            tokens += rows;
        }
        while (--steps != 0);

        AddPairs(a0, b0, c0, d0, sums);
        if (rows > 1) AddPairs(a1, b1, c1, d1, sums + 16);
        if (rows > 2) AddPairs(a2, b2, c2, d2, sums + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddPairs(Vector256<int> a, Vector256<int> b, Vector256<int> c, Vector256<int> d, int* sums)
    {
        // Horizontal additions work within halves: the permutation puts the quarters 0, 2, 1, 3 in order.
        Avx2.Permute4x64(Avx2.HorizontalAdd(a, b).AsInt64(), 0b11_01_10_00).AsInt32().Store(sums);
        Avx2.Permute4x64(Avx2.HorizontalAdd(c, d).AsInt64(), 0b11_01_10_00).AsInt32().Store(sums + 8);
    }
}
