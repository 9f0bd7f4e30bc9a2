using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The ARM64 kernels of <see cref="FloatProduct"/>: up to 6 rows × 32 outputs, 16 at a time, every output in its own lane, one fused multiply-add per input in ascending order.</summary>
internal static unsafe class FloatKernelNeon
{
    /// <summary>The tallest tile: 24 accumulators, four panel vectors and one broadcast of the 32 registers.</summary>
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
        Vector128<float> c0A = default, c0B = default, c0C = default, c0D = default;
        Vector128<float> c1A = default, c1B = default, c1C = default, c1D = default;
        Vector128<float> c2A = default, c2B = default, c2C = default, c2D = default;
        Vector128<float> c3A = default, c3B = default, c3C = default, c3D = default;
        Vector128<float> c4A = default, c4B = default, c4C = default, c4D = default;
        Vector128<float> c5A = default, c5B = default, c5C = default, c5D = default;
        do
        {
            Vector128<float> bA = TElement.Load4(b), bB = TElement.Load4(b + (4 * TElement.Size)), bC = TElement.Load4(b + (8 * TElement.Size)), bD = TElement.Load4(b + (12 * TElement.Size));
            b += strideB;
            Vector128<float> x;
            x = Vector128.Create(a[0]);
            c0A = AdvSimd.FusedMultiplyAdd(c0A, x, bA);
            c0B = AdvSimd.FusedMultiplyAdd(c0B, x, bB);
            c0C = AdvSimd.FusedMultiplyAdd(c0C, x, bC);
            c0D = AdvSimd.FusedMultiplyAdd(c0D, x, bD);
            if (rows > 1) { x = Vector128.Create(a[1]); c1A = AdvSimd.FusedMultiplyAdd(c1A, x, bA); c1B = AdvSimd.FusedMultiplyAdd(c1B, x, bB); c1C = AdvSimd.FusedMultiplyAdd(c1C, x, bC); c1D = AdvSimd.FusedMultiplyAdd(c1D, x, bD); }
            if (rows > 2) { x = Vector128.Create(a[2]); c2A = AdvSimd.FusedMultiplyAdd(c2A, x, bA); c2B = AdvSimd.FusedMultiplyAdd(c2B, x, bB); c2C = AdvSimd.FusedMultiplyAdd(c2C, x, bC); c2D = AdvSimd.FusedMultiplyAdd(c2D, x, bD); }
            if (rows > 3) { x = Vector128.Create(a[3]); c3A = AdvSimd.FusedMultiplyAdd(c3A, x, bA); c3B = AdvSimd.FusedMultiplyAdd(c3B, x, bB); c3C = AdvSimd.FusedMultiplyAdd(c3C, x, bC); c3D = AdvSimd.FusedMultiplyAdd(c3D, x, bD); }
            if (rows > 4) { x = Vector128.Create(a[4]); c4A = AdvSimd.FusedMultiplyAdd(c4A, x, bA); c4B = AdvSimd.FusedMultiplyAdd(c4B, x, bB); c4C = AdvSimd.FusedMultiplyAdd(c4C, x, bC); c4D = AdvSimd.FusedMultiplyAdd(c4D, x, bD); }
            if (rows > 5) { x = Vector128.Create(a[5]); c5A = AdvSimd.FusedMultiplyAdd(c5A, x, bA); c5B = AdvSimd.FusedMultiplyAdd(c5B, x, bB); c5C = AdvSimd.FusedMultiplyAdd(c5C, x, bC); c5D = AdvSimd.FusedMultiplyAdd(c5D, x, bD); }
            a += rows;
        }
        while (--depth != 0);

        Store(c0A, c0B, c0C, c0D, c, add);
        if (rows > 1) Store(c1A, c1B, c1C, c1D, c + (1 * strideC), add);
        if (rows > 2) Store(c2A, c2B, c2C, c2D, c + (2 * strideC), add);
        if (rows > 3) Store(c3A, c3B, c3C, c3D, c + (3 * strideC), add);
        if (rows > 4) Store(c4A, c4B, c4C, c4D, c + (4 * strideC), add);
        if (rows > 5) Store(c5A, c5B, c5C, c5D, c + (5 * strideC), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* target, bool add)
    {
        if (add)
        {
            (a, b) = (Vector128.Load(target) + a, Vector128.Load(target + 4) + b);
            (c, d) = (Vector128.Load(target + 8) + c, Vector128.Load(target + 12) + d);
        }

        a.Store(target);
        b.Store(target + 4);
        c.Store(target + 8);
        d.Store(target + 12);
    }
}
