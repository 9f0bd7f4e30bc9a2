using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The kernels of <see cref="FloatProduct"/>, one for each instruction set.</summary>
internal static unsafe class FloatKernel
{
    /// <summary>The tallest tile of any machine.</summary>
    public const int TallestTile = FloatKernelAvx512.MaxRows;

    /// <summary>The tallest tile of an instruction set.</summary>
    public static int MaxRows(FloatLevel level) => level switch
    {
        FloatLevel.Avx512 => FloatKernelAvx512.MaxRows,
        FloatLevel.Avx2 => FloatKernelAvx2.MaxRows,
        FloatLevel.Neon => FloatKernelNeon.MaxRows,
        _ => FloatKernelPortable.MaxRows,
    };

    /// <summary>C[rows, 32] = or += A · B, with B in BF16 when <paramref name="halves"/>.</summary>
    public static void Run(FloatLevel level, bool halves, int rows, float* a, byte* b, nint strideB, float* c, nint strideC, nint depth, bool add)
    {
        if (depth == 0)
        {
            Clear(rows, c, strideC, add);
        }
        else if (halves)
        {
            Run<BFloat16Element>(level, rows, a, b, strideB, c, strideC, depth, add);
        }
        else
        {
            Run<Float32Element>(level, rows, a, b, strideB, c, strideC, depth, add);
        }
    }

    /// <summary>C[rows, columns] = or += tile[rows, 32], for a panel that is not full.</summary>
    public static void CopyTile(float* tile, int rows, int columns, float* c, nint strideC, bool add)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                c[j] = add ? c[j] + tile[j] : tile[j];
            }

            tile += PanelSource.PanelOutputs;
            c += strideC;
        }
    }

    /// <summary>target += values.</summary>
    public static void Add(float* values, float* target, int count)
    {
        var i = 0;
        for (; i <= count - 16; i += 16)
        {
            (Vector512.Load(target + i) + Vector512.Load(values + i)).Store(target + i);
        }

        for (; i < count; i++)
        {
            target[i] += values[i];
        }
    }

    private static void Run<TElement>(FloatLevel level, int rows, float* a, byte* b, nint strideB, float* c, nint strideC, nint depth, bool add)
        where TElement : IPanelElement
    {
        switch (level)
        {
            case FloatLevel.Avx512:
                FloatKernelAvx512.Run<TElement>(rows, a, b, strideB, c, strideC, depth, add);
                break;
            case FloatLevel.Avx2:
                FloatKernelAvx2.Run<TElement>(rows, a, b, strideB, c, strideC, depth, add);
                break;
            case FloatLevel.Neon:
                FloatKernelNeon.Run<TElement>(rows, a, b, strideB, c, strideC, depth, add);
                break;
            default:
                FloatKernelPortable.Run<TElement>(a, b, strideB, c, depth, add);
                break;
        }
    }

    private static void Clear(int rows, float* c, nint strideC, bool add)
    {
        for (var i = 0; i < rows && !add; i++)
        {
            new Span<float>(c + (i * strideC), PanelSource.PanelOutputs).Clear();
        }
    }
}
