using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Cross-modal compensation: y += (smoothed · L1_m) · L2_m for the tokens of each patched modality.</summary>
internal static unsafe class LowRankProduct
{
    /// <summary>Adds every patch of <paramref name="weight"/> to <paramref name="y"/>. Tokens without a patch are not touched.</summary>
    public static void Add(PreparedTokens tokens, QuantizedWeight weight, float* y, CpuTarget target)
    {
        var modalities = tokens.Modalities.Tokens;
        for (var start = 0; start < modalities.Length;)
        {
            // Media are runs of tokens of one modality: each run is one pair of products.
            var modality = modalities[start];
            var end = start + 1;
            while (end < modalities.Length && modalities[end] == modality)
            {
                end++;
            }

            if (weight.Patches[(int)modality] is { Rank: > 0 } patch)
            {
                AddRun(tokens, start, end - start, patch, y, target);
            }

            start = end;
        }
    }

    private static void AddRun(PreparedTokens tokens, int start, int count, LowRankFactors patch, float* y, CpuTarget target)
    {
        int inputs = tokens.Inputs, outputs = patch.L2.Columns, rank = patch.Rank;
        var product = FloatProduct.Current;
        var projected = Scratch.Current.LowRank<float>((long)count * rank);
        fixed (float* x = tokens.Smoothed.Data, l1 = patch.L1.Data, l2 = patch.L2.Data)
        {
            product.Left(x + ((nint)start * inputs), inputs, 1).Right(l1, 1, rank)
                .Into(projected, rank, count, rank, inputs, null, accumulate: false, threaded: true, target);
            product.Left(projected, rank, 1).Right(l2, 1, outputs)
                .Into(y + ((nint)start * outputs), outputs, count, outputs, rank, null, accumulate: true, threaded: true, target);
        }
    }
}
