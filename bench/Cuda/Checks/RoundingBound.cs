using MASQuant.Gemm;
using MASQuant.Tensors;

namespace MASQuant.Bench.Cuda.Checks;

/// <summary>How far a kernel's output may lie from the CPU's.</summary>
internal static class RoundingBound
{
    /// <summary>BF16 keeps 8 significant bits: rounding changes a value by at most this part of it.</summary>
    private const double BFloat16 = 1.0 / 256;

    /// <summary>FP32's part, doubled, since both sides round, and doubled again: tensor cores may truncate where they add.</summary>
    private const double Single = 4.0 / (1 << 24);

    /// <summary>Compares layers: bit for bit where nothing is rounded that the processor does not round.</summary>
    /// <exception cref="CheckFailedException">An output differs by more than its bound.</exception>
    public static void Check(LayerProblem problem, PreparedTokens tokens, Matrix[] expected, Matrix[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            for (var m = 0; m < tokens.Tokens; m++)
            {
                for (var n = 0; n < expected[i].Columns; n++)
                {
                    Require.Near(expected[i][m, n], actual[i][m, n], Of(tokens, problem.Weights[i], m, n, expected[i][m, n]), $"layer {i}, token {m}, output {n}");
                }
            }
        }
    }

    /// <summary>The bound for output <paramref name="n"/> of token <paramref name="m"/>.</summary>
    /// <remarks>
    /// A sum of K products changes by at most (K + 8) FP32 roundings of the sum of magnitudes: 8 for scales, bias and parts.
    /// W4A16: the token's value is rounded to BF16, the weight (an integer times a scale) is not.
    /// A patch Σ_r Σ_k x·L1·L2: x, L1, T and L2 are rounded to BF16, each a factor (1 ± u).
    /// Text tokens of integer schemes: nothing is rounded that the CPU does not round.
    /// </remarks>
    public static double Of(PreparedTokens tokens, QuantizedWeight weight, int m, int n, double y)
    {
        var bound = 0.0;
        if (!weight.Scheme.QuantizesActivations)
        {
            var groups = weight.Inputs / PackingLayout.GroupSize;
            var sum = 0.0;
            for (var k = 0; k < weight.Inputs; k++)
            {
                var group = (n * groups) + (k / PackingLayout.GroupSize);
                var code = PackingLayout.Code(weight.Codes.Span, n, k, weight.Inputs, 4, unsigned: true) - weight.ZeroPoints.Span[group];
                sum += Math.Abs(tokens.Smoothed[m, k] * (double)code * weight.Scales.Span[group]);
            }

            bound += sum * (BFloat16 + ((weight.Inputs + 8) * Single)) + (Math.Abs(y) * Single);
        }

        if (weight.Patches[(int)tokens.Modalities[m]] is { } patch)
        {
            var sum = 0.0;
            for (var r = 0; r < patch.Rank; r++)
            {
                var t = 0.0;
                for (var k = 0; k < weight.Inputs; k++)
                {
                    t += Math.Abs((double)tokens.Smoothed[m, k] * patch.L1[k, r]);
                }

                sum += t * Math.Abs(patch.L2[r, n]);
            }

            bound += (sum * (Math.Pow(1 + BFloat16, 4) - 1 + ((weight.Inputs + patch.Rank + 8) * Single))) + (Math.Abs(y) * patch.Rank * Single);
        }

        return bound;
    }
}
