using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Rearranges a whole panel of 32 outputs of 16-bit values: <c>target[k, n] = source[n, k]</c>. Two inputs of an output move as one value of 32 bits, and are taken apart at the end.</summary>
internal static unsafe class HalfPacking
{
    // Pairs of inputs at a time: 32 outputs of them are 8 KB, which the first-level cache keeps.
    private const int Pairs = 64;
    private const int Outputs = PanelSource.PanelOutputs;

    /// <summary>Packs W[32, inputs] into [inputs, 32], as far as whole pieces go.</summary>
    /// <returns>The inputs that were packed; the rest is the caller's.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Pack(ushort* weight, int inputs, ushort* target)
    {
        if (inputs % 2 != 0)
        {
            return 0; // The outputs' pairs would begin at odd inputs.
        }

        var pairs = stackalloc float[Pairs * Outputs];
        var k = 0;
        for (; k <= inputs - (2 * Pairs); k += 2 * Pairs)
        {
            FloatPacking.Transpose((float*)(weight + k), inputs / 2, Outputs, Pairs, pairs, Outputs);
            for (var pair = 0; pair < Pairs; pair++)
            {
                Split((uint*)pairs + (pair * Outputs), target, target + Outputs);
                target += 2 * Outputs;
            }
        }

        return k;
    }

    /// <summary>The lower halves of 32 values, and the upper ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(uint* values, ushort* lower, ushort* upper)
    {
        for (var n = 0; n < Outputs; n += 16)
        {
            Vector256<uint> first = Vector256.Load(values + n), second = Vector256.Load(values + n + 8);
            Vector256.Narrow(first, second).Store(lower + n);
            Vector256.Narrow(first >>> 16, second >>> 16).Store(upper + n);
        }
    }
}
