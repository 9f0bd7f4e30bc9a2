using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX2 kernels of <see cref="FloatProduct"/>: up to 6 rows × 32 outputs, 16 at a time, every output in its own lane, one fused multiply-add per input in ascending order.</summary>
internal static unsafe class FloatKernelAvx2
{
    /// <summary>The tallest tile: 12 accumulators, two panel vectors and one broadcast of the 16 registers.</summary>
    public const int MaxRows = 6;

    /// <summary>C[rows, 32] = or += A · B: A packed as [depth, rows], B as [depth, 32] with <paramref name="strideB"/> bytes from input to input.</summary>
    public static void Run<TElement>(int rows, float* a, byte* b, nint strideB, float* c, nint strideC, nint depth, bool add)
        where TElement : IPanelElement
    {
        for (var half = 0; half < 2; half++)
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
                default:
                    Tile<Rows6, TElement>(a, b, strideB, c, strideC, depth, add);
                    break;
            }

            b += 16 * TElement.Size;
            c += 16;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows, TElement>(float* a, byte* b, nint strideB, float* c, nint strideC, nint depth, bool add)
        where TRows : IRowCount
        where TElement : IPanelElement
    {
        var rows = TRows.Value;
        Vector256<float> c0L = default, c0H = default;
        Vector256<float> c1L = default, c1H = default;
        Vector256<float> c2L = default, c2H = default;
        Vector256<float> c3L = default, c3H = default;
        Vector256<float> c4L = default, c4H = default;
        Vector256<float> c5L = default, c5H = default;
        do
        {
            var low = TElement.Load8(b);
            var high = TElement.Load8(b + (8 * TElement.Size));
            b += strideB;
            Vector256<float> x;
            x = Vector256.Create(a[0]);
            c0L = Fma.MultiplyAdd(x, low, c0L);
            c0H = Fma.MultiplyAdd(x, high, c0H);
            if (rows > 1) { x = Vector256.Create(a[1]); c1L = Fma.MultiplyAdd(x, low, c1L); c1H = Fma.MultiplyAdd(x, high, c1H); }
            if (rows > 2) { x = Vector256.Create(a[2]); c2L = Fma.MultiplyAdd(x, low, c2L); c2H = Fma.MultiplyAdd(x, high, c2H); }
            if (rows > 3) { x = Vector256.Create(a[3]); c3L = Fma.MultiplyAdd(x, low, c3L); c3H = Fma.MultiplyAdd(x, high, c3H); }
            if (rows > 4) { x = Vector256.Create(a[4]); c4L = Fma.MultiplyAdd(x, low, c4L); c4H = Fma.MultiplyAdd(x, high, c4H); }
            if (rows > 5) { x = Vector256.Create(a[5]); c5L = Fma.MultiplyAdd(x, low, c5L); c5H = Fma.MultiplyAdd(x, high, c5H); }
            a += rows;
        }
        while (--depth != 0);

        Store(c0L, c0H, c, add);
        if (rows > 1) Store(c1L, c1H, c + (1 * strideC), add);
        if (rows > 2) Store(c2L, c2H, c + (2 * strideC), add);
        if (rows > 3) Store(c3L, c3H, c + (3 * strideC), add);
        if (rows > 4) Store(c4L, c4H, c + (4 * strideC), add);
        if (rows > 5) Store(c5L, c5H, c + (5 * strideC), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> low, Vector256<float> high, float* c, bool add)
    {
        if (add)
        {
            low = Vector256.Load(c) + low;
            high = Vector256.Load(c + 8) + high;
        }

        low.Store(c);
        high.Store(c + 8);
    }
}
