using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>The orders in which the GEMM kernels read BF16 operands of the MMA: a lane's registers side by side, lanes in order. Lane 4g + t holds rows g and g + 8 of a panel.</summary>
public static class FragmentOrder
{
    private const int Lanes = 32;

    /// <summary>Packs a weight [N, K] for <see cref="WeightFormat.BFloat16"/>; a step of 64 inputs is 4 vectors, of which vector v holds inputs 32·(v/2) + 8t + 4·(v%2) + 0…3 of its rows.</summary>
    /// <param name="value">The weight at (n, k), asked for within the shape only.</param>
    /// <param name="outputs">N; padded with zeros to <paramref name="paddedOutputs"/>.</param>
    /// <param name="inputs">K; padded with zeros to a multiple of 64.</param>
    /// <param name="paddedOutputs">A multiple of 16.</param>
    public static ushort[] PackBFloat16(Func<int, int, float> value, int outputs, int inputs, int paddedOutputs)
        => Pack(value, outputs, inputs, paddedOutputs, PrepareKernels.Stride(inputs), vectorInputs: 16,
            (vector, t) => (vector / 4 * 64) + (vector % 4 / 2 * 32) + (t * 8) + (vector % 2 * 4));

    /// <summary>Packs L2 [r, N], transposed, for <see cref="PatchRecord"/>: a vector holds ranks 16·v + 4t + 0…3 of its rows; r is padded with zeros to a multiple of 16.</summary>
    public static ushort[] PackL2(LowRankFactors patch)
        => Pack((n, r) => patch.L2[r, n], patch.L2.Columns, patch.Rank, patch.L2.Columns, PadRank(patch.Rank), vectorInputs: 16, (vector, t) => (vector * 16) + (t * 4));

    /// <summary>r rounded up to a multiple of 16.</summary>
    public static int PadRank(int rank) => (rank + GemmKernels.RankMultiple - 1) / GemmKernels.RankMultiple * GemmKernels.RankMultiple;

    private static ushort[] Pack(Func<int, int, float> value, int outputs, int inputs, int paddedOutputs, int paddedInputs, int vectorInputs, Func<int, int, int> first)
    {
        var packed = new ushort[checked(paddedOutputs * paddedInputs)];
        var vectors = paddedInputs / vectorInputs;
        for (var panel = 0; panel < paddedOutputs / GemmKernels.PanelOutputs; panel++)
        {
            for (var vector = 0; vector < vectors; vector++)
            {
                for (var lane = 0; lane < Lanes; lane++)
                {
                    var target = packed.AsSpan(((((panel * vectors) + vector) * Lanes) + lane) * 8, 8);
                    var k = first(vector, lane & 3);
                    for (var e = 0; e < target.Length; e++)
                    {
                        // Registers: row g, row g + 8, row g two inputs on, row g + 8 two inputs on.
                        var (row, input) = ((panel * GemmKernels.PanelOutputs) + (lane >> 2) + (((e >> 1) & 1) * 8), k + ((e >> 2) * 2) + (e & 1));
                        target[e] = row < outputs && input < inputs ? BFloat16.FromSingle(value(row, input)) : (ushort)0;
                    }
                }
            }
        }

        return packed;
    }
}
