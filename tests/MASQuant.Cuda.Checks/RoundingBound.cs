using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>How far a kernel's output may lie from the CPU's.</summary>
internal static class RoundingBound
{
    /// <summary>BF16 keeps 8 significant bits: rounding changes a value by at most this part of it.</summary>
    private const double BFloat16 = 1.0 / 256;

    /// <summary>FP32's part, doubled, since both sides round, and doubled again: tensor cores may truncate where they add.</summary>
    private const double Single = 4.0 / (1 << 24);

    /// <summary>Compares layers: bit for bit where nothing is rounded that the processor does not round.</summary>
    /// <exception cref="CheckFailedException">An output differs by more than its bound.</exception>
    public static void Check(IReadOnlyList<QuantizedWeight> weights, PreparedTokens tokens, Matrix[] expected, Matrix[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            var codes = weights[i].Scheme.QuantizesActivations ? [] : PackingLayout.Unpack(weights[i].Codes.Span, weights[i].Outputs, weights[i].Inputs, 4, unsigned: true);
            for (var m = 0; m < tokens.Tokens; m++)
            {
                var projected = Projected(tokens, weights[i], m);
                for (var n = 0; n < expected[i].Columns; n++)
                {
                    var bound = Of(tokens, weights[i], m, n, expected[i][m, n], codes, projected);
                    if (!(Math.Abs((double)expected[i][m, n] - actual[i][m, n]) <= bound))
                    {
                        throw new CheckFailedException($"layer {i}, token {m}, output {n}: {actual[i][m, n]} is not {expected[i][m, n]} ± {bound}");
                    }
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
    private static double Of(PreparedTokens tokens, QuantizedWeight weight, int m, int n, double y, sbyte[] codes, double[] projected)
    {
        var bound = 0.0;
        if (!weight.Scheme.QuantizesActivations)
        {
            var sum = 0.0;
            var x = tokens.Smoothed.Row(m);
            var row = codes.AsSpan(n * weight.Inputs, weight.Inputs);
            for (var start = 0; start < row.Length; start += PackingLayout.GroupSize)
            {
                var group = ((n * row.Length) + start) / PackingLayout.GroupSize;
                var (zeroPoint, magnitude) = (weight.ZeroPoints.Span[group], 0.0);
                for (var k = start; k < start + PackingLayout.GroupSize; k++)
                {
                    magnitude += Math.Abs(x[k] * (row[k] - zeroPoint));
                }

                sum += magnitude * Math.Abs(weight.Scales.Span[group]);
            }

            bound += sum * (BFloat16 + ((weight.Inputs + 8) * Single)) + (Math.Abs(y) * Single);
        }

        if (weight.Patches[(int)tokens.Modalities[m]] is { } patch)
        {
            var sum = 0.0;
            for (var r = 0; r < patch.Rank; r++)
            {
                sum += projected[r] * Math.Abs(patch.L2[r, n]);
            }

            bound += (sum * (Math.Pow(1 + BFloat16, 4) - 1 + ((weight.Inputs + patch.Rank + 8) * Single))) + (Math.Abs(y) * patch.Rank * Single);
        }

        return bound;
    }

    /// <summary>Σ_k |x·L1| of a token, for each rank.</summary>
    private static double[] Projected(PreparedTokens tokens, QuantizedWeight weight, int m)
    {
        if (weight.Patches[(int)tokens.Modalities[m]] is not { } patch)
        {
            return [];
        }

        var projected = new double[patch.Rank];
        for (var k = 0; k < weight.Inputs; k++)
        {
            var x = (double)tokens.Smoothed[m, k];
            var row = patch.L1.Row(k);
            for (var r = 0; r < row.Length; r++)
            {
                projected[r] += Math.Abs(x * row[r]);
            }
        }

        return projected;
    }
}
