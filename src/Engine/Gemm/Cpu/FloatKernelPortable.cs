using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The kernel of <see cref="FloatProduct"/> for every other processor: one row × 32 outputs, 16 at a time, every output in its own lane, one fused multiply-add per input in ascending order.</summary>
internal static unsafe class FloatKernelPortable
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 1;

    /// <summary>C[1, 32] = or += A · B: A packed as [depth, 1], B as [depth, 32] with <paramref name="strideB"/> bytes from input to input.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TElement>(float* a, byte* b, nint strideB, float* c, nint depth, bool add)
        where TElement : IPanelElement
    {
        for (var half = 0; half < 2; half++)
        {
            Vector128<float> c0 = default, c1 = default, c2 = default, c3 = default;
            var row = b;
            for (nint k = 0; k < depth; k++, row += strideB)
            {
                var x = Vector128.Create(a[k]);
                c0 = Vector128.FusedMultiplyAdd(x, TElement.Load4(row), c0);
                c1 = Vector128.FusedMultiplyAdd(x, TElement.Load4(row + (4 * TElement.Size)), c1);
                c2 = Vector128.FusedMultiplyAdd(x, TElement.Load4(row + (8 * TElement.Size)), c2);
                c3 = Vector128.FusedMultiplyAdd(x, TElement.Load4(row + (12 * TElement.Size)), c3);
            }

            Store(c0, c, add);
            Store(c1, c + 4, add);
            Store(c2, c + 8, add);
            Store(c3, c + 12, add);
            b += 16 * TElement.Size;
            c += 16;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<float> value, float* c, bool add) => (add ? Vector128.Load(c) + value : value).Store(c);
}
