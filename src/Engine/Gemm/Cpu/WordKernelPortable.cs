using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The kernel for <see cref="CodeForm.Words"/> of every other processor.</summary>
internal static unsafe class WordKernelPortable
{
    /// <summary>The most tokens of a call.</summary>
    public const int MaxRows = 1;

    /// <summary>sums[16] = Σ over <paramref name="steps"/> runs of 4 inputs of one token [steps, 4] and weights [steps, 16, 4].</summary>
    public static void Run(short* token, short* weights, int* sums, nint steps)
    {
        new Span<int>(sums, PackingLayout.PanelOutputs).Clear();
        for (; steps > 0; steps--)
        {
            int t0 = token[0], t1 = token[1], t2 = token[2], t3 = token[3];
            for (var n = 0; n < PackingLayout.PanelOutputs; n++)
            {
                sums[n] += (t0 * weights[0]) + (t1 * weights[1]) + (t2 * weights[2]) + (t3 * weights[3]);
                weights += PackingLayout.RunInputs;
            }

            token += PackingLayout.RunInputs;
        }
    }
}
