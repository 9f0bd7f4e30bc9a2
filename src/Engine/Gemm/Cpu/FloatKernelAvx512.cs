using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX-512 kernels of <see cref="FloatProduct"/>: up to 14 rows × 32 outputs, every output in its own lane, one fused multiply-add per input in ascending order.</summary>
internal static unsafe class FloatKernelAvx512
{
    /// <summary>The tallest tile: 28 accumulators, two panel vectors and one broadcast fill the 32 registers.</summary>
    public const int MaxRows = 14;

    // Inputs of the panel to fetch ahead, the time of a memory access: a tall tile takes 28 cycles for an input, a few rows four.
    private const int PrefetchInputs = 32;
    private const int PrefetchInputsOfFewRows = 128;
    private const int FewRows = 4;

    /// <summary>C[rows, 32] = or += A · B: A packed as [depth, rows], B as [depth, 32] with <paramref name="strideB"/> bytes from input to input.</summary>
    public static void Run<TElement>(int rows, float* a, byte* b, nint strideB, float* c, nint strideC, nint depth, bool add)
        where TElement : IPanelElement
    {
        switch (rows)
        {
            case 1:
                Tile<Rows1, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 2:
                Tile<Rows2, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 3:
                Tile<Rows3, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 4:
                Tile<Rows4, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 5:
                Tile<Rows5, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 6:
                Tile<Rows6, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 7:
                Tile<Rows7, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 8:
                Tile<Rows8, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 9:
                Tile<Rows9, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 10:
                Tile<Rows10, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 11:
                Tile<Rows11, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 12:
                Tile<Rows12, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            case 13:
                Tile<Rows13, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
            default:
                Tile<Rows14, TElement>(a, b, strideB, c, strideC, depth, add);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows, TElement>(float* a, byte* b, nint strideB, float* c, nint strideC, nint depth, bool add)
        where TRows : IRowCount
        where TElement : IPanelElement
    {
        var rows = TRows.Value;
        Vector512<float> c0L = default, c0H = default;
        Vector512<float> c1L = default, c1H = default;
        Vector512<float> c2L = default, c2H = default;
        Vector512<float> c3L = default, c3H = default;
        Vector512<float> c4L = default, c4H = default;
        Vector512<float> c5L = default, c5H = default;
        Vector512<float> c6L = default, c6H = default;
        Vector512<float> c7L = default, c7H = default;
        Vector512<float> c8L = default, c8H = default;
        Vector512<float> c9L = default, c9H = default;
        Vector512<float> c10L = default, c10H = default;
        Vector512<float> c11L = default, c11H = default;
        Vector512<float> c12L = default, c12H = default;
        Vector512<float> c13L = default, c13H = default;
        do
        {
            var low = TElement.Load16(b);
            var high = TElement.Load16(b + (16 * TElement.Size));
            Sse.Prefetch0(b + ((rows <= FewRows ? PrefetchInputsOfFewRows : PrefetchInputs) * strideB));
            b += strideB;
            Vector512<float> x;
            x = Vector512.Create(a[0]);
            c0L = Avx512F.FusedMultiplyAdd(x, low, c0L);
            c0H = Avx512F.FusedMultiplyAdd(x, high, c0H);
            if (rows > 1) { x = Vector512.Create(a[1]); c1L = Avx512F.FusedMultiplyAdd(x, low, c1L); c1H = Avx512F.FusedMultiplyAdd(x, high, c1H); }
            if (rows > 2) { x = Vector512.Create(a[2]); c2L = Avx512F.FusedMultiplyAdd(x, low, c2L); c2H = Avx512F.FusedMultiplyAdd(x, high, c2H); }
            if (rows > 3) { x = Vector512.Create(a[3]); c3L = Avx512F.FusedMultiplyAdd(x, low, c3L); c3H = Avx512F.FusedMultiplyAdd(x, high, c3H); }
            if (rows > 4) { x = Vector512.Create(a[4]); c4L = Avx512F.FusedMultiplyAdd(x, low, c4L); c4H = Avx512F.FusedMultiplyAdd(x, high, c4H); }
            if (rows > 5) { x = Vector512.Create(a[5]); c5L = Avx512F.FusedMultiplyAdd(x, low, c5L); c5H = Avx512F.FusedMultiplyAdd(x, high, c5H); }
            if (rows > 6) { x = Vector512.Create(a[6]); c6L = Avx512F.FusedMultiplyAdd(x, low, c6L); c6H = Avx512F.FusedMultiplyAdd(x, high, c6H); }
            if (rows > 7) { x = Vector512.Create(a[7]); c7L = Avx512F.FusedMultiplyAdd(x, low, c7L); c7H = Avx512F.FusedMultiplyAdd(x, high, c7H); }
            if (rows > 8) { x = Vector512.Create(a[8]); c8L = Avx512F.FusedMultiplyAdd(x, low, c8L); c8H = Avx512F.FusedMultiplyAdd(x, high, c8H); }
            if (rows > 9) { x = Vector512.Create(a[9]); c9L = Avx512F.FusedMultiplyAdd(x, low, c9L); c9H = Avx512F.FusedMultiplyAdd(x, high, c9H); }
            if (rows > 10) { x = Vector512.Create(a[10]); c10L = Avx512F.FusedMultiplyAdd(x, low, c10L); c10H = Avx512F.FusedMultiplyAdd(x, high, c10H); }
            if (rows > 11) { x = Vector512.Create(a[11]); c11L = Avx512F.FusedMultiplyAdd(x, low, c11L); c11H = Avx512F.FusedMultiplyAdd(x, high, c11H); }
            if (rows > 12) { x = Vector512.Create(a[12]); c12L = Avx512F.FusedMultiplyAdd(x, low, c12L); c12H = Avx512F.FusedMultiplyAdd(x, high, c12H); }
            if (rows > 13) { x = Vector512.Create(a[13]); c13L = Avx512F.FusedMultiplyAdd(x, low, c13L); c13H = Avx512F.FusedMultiplyAdd(x, high, c13H); }
            a += rows;
        }
        while (--depth != 0);

        Store(c0L, c0H, c, add);
        if (rows > 1) Store(c1L, c1H, c + (1 * strideC), add);
        if (rows > 2) Store(c2L, c2H, c + (2 * strideC), add);
        if (rows > 3) Store(c3L, c3H, c + (3 * strideC), add);
        if (rows > 4) Store(c4L, c4H, c + (4 * strideC), add);
        if (rows > 5) Store(c5L, c5H, c + (5 * strideC), add);
        if (rows > 6) Store(c6L, c6H, c + (6 * strideC), add);
        if (rows > 7) Store(c7L, c7H, c + (7 * strideC), add);
        if (rows > 8) Store(c8L, c8H, c + (8 * strideC), add);
        if (rows > 9) Store(c9L, c9H, c + (9 * strideC), add);
        if (rows > 10) Store(c10L, c10H, c + (10 * strideC), add);
        if (rows > 11) Store(c11L, c11H, c + (11 * strideC), add);
        if (rows > 12) Store(c12L, c12H, c + (12 * strideC), add);
        if (rows > 13) Store(c13L, c13H, c + (13 * strideC), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> low, Vector512<float> high, float* c, bool add)
    {
        if (add)
        {
            low = Vector512.Load(c) + low;
            high = Vector512.Load(c + 16) + high;
        }

        low.Store(c);
        high.Store(c + 16);
    }
}
