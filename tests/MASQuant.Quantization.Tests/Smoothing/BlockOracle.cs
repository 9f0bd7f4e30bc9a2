namespace MASQuant.Quantization.Tests.Smoothing;

/// <summary>A decoder block with simulated quantization in FP64, written for reading. The first evaluation records every rounding offset e; later ones replay them, v̂ = v + scale(v)·e, which is the function whose derivative the straight-through estimator is.</summary>
internal sealed class BlockOracle(QuantizationScheme scheme, int heads, int keyValueHeads, int headSize, double epsilon)
{
    private readonly List<double[]> _offsets = [];
    private bool _recorded;
    private int _next;

    public required double[][,] Weights { get; init; } // q k v o gate up down

    public required double[][] Gains { get; init; }

    public required ModalityMap Modalities { get; init; }

    public required double[,] Cosines { get; init; }

    public required double[,] Sines { get; init; }

    /// <summary>The rotation of each group's smoothed inputs, in blocks of so many values; 0: none.</summary>
    public int RotationBlock { get; init; }

    /// <summary>The gains of queries' and keys' heads; none: heads are not normed.</summary>
    public double[][] HeadGains { get; init; } = [];

    /// <summary>What is added to the output, [T, H]; null: nothing.</summary>
    public double[,]? Added { get; init; }

    /// <summary>log s [group][modality][K] to the loss: Σ c ⊙ Y for fixed coefficients c.</summary>
    public double Loss(double[,] hidden, double[][][] logarithms, bool[][] ownsWeight, double[,] coefficients)
    {
        _next = 0;
        var normed = Norm(hidden, Gains[0]);
        var qkv = Group(normed, [0, 1, 2], logarithms[0], ownsWeight[0]);
        var attended = Group(HeadGains.Length == 0 ? Attend(qkv[0], qkv[1], qkv[2]) : Attend(NormHeads(qkv[0], HeadGains[0]), NormHeads(qkv[1], HeadGains[1]), qkv[2]), [3], logarithms[1], ownsWeight[1])[0];
        var middle = Add(hidden, attended);
        var gateUp = Group(Norm(middle, Gains[1]), [4, 5], logarithms[2], ownsWeight[2]);
        var product = new double[gateUp[0].GetLength(0), gateUp[0].GetLength(1)];
        for (var t = 0; t < product.GetLength(0); t++)
        {
            for (var j = 0; j < product.GetLength(1); j++)
            {
                product[t, j] = gateUp[0][t, j] / (1 + Math.Exp(-gateUp[0][t, j])) * gateUp[1][t, j];
            }
        }

        var output = Add(middle, Group(product, [6], logarithms[3], ownsWeight[3])[0]);
        output = Added is null ? output : Add(output, Added);
        _recorded = true;
        var loss = 0.0;
        for (var t = 0; t < output.GetLength(0); t++)
        {
            for (var j = 0; j < output.GetLength(1); j++)
            {
                loss += coefficients[t, j] * output[t, j];
            }
        }

        return loss;
    }

    private double[][,] Group(double[,] x, int[] weights, double[][] logarithms, bool[] ownsWeight)
    {
        int tokens = x.GetLength(0), inputs = x.GetLength(1);
        var smoothed = new double[tokens, inputs];
        var rounded = new double[tokens, inputs];
        for (var t = 0; t < tokens; t++)
        {
            var row = new double[inputs];
            for (var k = 0; k < inputs; k++)
            {
                row[k] = smoothed[t, k] = x[t, k] / Math.Exp(logarithms[(int)Modalities[t]][k]);
            }

            row = Rotate(row);
            var result = scheme.QuantizesActivations ? Symmetric(row, scheme.ActivationMax) : row;
            for (var k = 0; k < inputs; k++)
            {
                rounded[t, k] = result[k];
            }
        }

        return [.. weights.Select(w => Linear(Weights[w], smoothed, rounded, logarithms, ownsWeight))];
    }

    private double[,] Linear(double[,] weight, double[,] smoothed, double[,] rounded, double[][] logarithms, bool[] ownsWeight)
    {
        int tokens = smoothed.GetLength(0), inputs = smoothed.GetLength(1), outputs = weight.GetLength(0);
        var stored = new double[ModalityMap.ModalityCount][][];
        for (var m = 0; m < stored.Length; m++)
        {
            stored[m] = [.. Enumerable.Range(0, outputs).Select(n => !ownsWeight[m] ? [] : RoundWeight(Rotate([.. Enumerable.Range(0, inputs).Select(k => weight[n, k] * Math.Exp(logarithms[m][k]))])))];
        }

        var y = new double[tokens, outputs];
        for (var t = 0; t < tokens; t++)
        {
            var m = (int)Modalities[t];
            for (var n = 0; n < outputs; n++)
            {
                for (var k = 0; k < inputs; k++)
                {
                    y[t, n] += rounded[t, k] * stored[ownsWeight[m] ? m : 0][n][k];
                    if (!ownsWeight[m])
                    {
                        y[t, n] += smoothed[t, k] * (Math.Exp(logarithms[m][k]) - Math.Exp(logarithms[0][k])) * weight[n, k];
                    }
                }
            }
        }

        return y;
    }

    // Entry (i, j) of a Sylvester–Hadamard matrix is −1 to the number of ones that i and j share.
    private double[] Rotate(double[] row) => RotationBlock == 0 ? row : [.. row.Select((_, j) => Enumerable.Range(j / RotationBlock * RotationBlock, RotationBlock)
        .Sum(i => row[i] * (int.PopCount(i % RotationBlock & j % RotationBlock) % 2 == 0 ? 1 : -1)) / Math.Sqrt(RotationBlock))];

    private double[] RoundWeight(double[] row) => scheme.QuantizesActivations ? Symmetric(row, scheme.WeightMax) : Asymmetric(row);

    private double[] Symmetric(double[] row, int limit)
    {
        var scale = row.Max(Math.Abs) / limit;
        return Replay(row, scale, () => [.. row.Select(v => Math.Round(v / scale) - (v / scale))]);
    }

    private double[] Asymmetric(double[] row)
    {
        double low = Math.Min(0, row.Min()), high = Math.Max(0, row.Max());
        var scale = (high - low) / 15;
        var zero = Math.Round(-low / scale);
        return Replay(row, scale, () => [.. row.Select(v => Math.Clamp(Math.Round(v / scale) + zero, 0, 15) - zero - (v / scale))]);
    }

    private double[] Replay(double[] row, double scale, Func<double[]> record)
    {
        if (!_recorded)
        {
            _offsets.Add(record());
        }

        var offsets = _offsets[_next++];
        return [.. row.Select((v, k) => v + (scale * offsets[k]))];
    }

    private double[,] Norm(double[,] x, double[] gain)
    {
        var y = new double[x.GetLength(0), x.GetLength(1)];
        for (var t = 0; t < y.GetLength(0); t++)
        {
            var square = Enumerable.Range(0, gain.Length).Sum(k => x[t, k] * x[t, k]) / gain.Length;
            for (var k = 0; k < gain.Length; k++)
            {
                y[t, k] = x[t, k] / Math.Sqrt(square + epsilon) * gain[k];
            }
        }

        return y;
    }

    private double[,] NormHeads(double[,] x, double[] gain)
    {
        var y = new double[x.GetLength(0), x.GetLength(1)];
        for (var t = 0; t < x.GetLength(0); t++)
        {
            for (var head = 0; head < x.GetLength(1) / headSize; head++)
            {
                var columns = Enumerable.Range(head * headSize, headSize).ToArray();
                var scale = 1 / Math.Sqrt(columns.Average(j => x[t, j] * x[t, j]) + epsilon);
                foreach (var j in columns)
                {
                    y[t, j] = x[t, j] * scale * gain[j % headSize];
                }
            }
        }

        return y;
    }

    private double[,] Attend(double[,] q, double[,] k, double[,] v)
    {
        var tokens = q.GetLength(0);
        var output = new double[tokens, heads * headSize];
        for (var head = 0; head < heads; head++)
        {
            var shared = head / (heads / keyValueHeads);
            for (var t = 0; t < tokens; t++)
            {
                var scores = Enumerable.Range(0, t + 1)
                    .Select(s => Math.Exp(Enumerable.Range(0, headSize).Sum(j => Rotated(q, t, head, j) * Rotated(k, s, shared, j)) / Math.Sqrt(headSize))).ToArray();
                for (var j = 0; j < headSize; j++)
                {
                    output[t, (head * headSize) + j] = Enumerable.Range(0, t + 1).Sum(s => scores[s] * v[s, (shared * headSize) + j]) / scores.Sum();
                }
            }
        }

        return output;
    }

    private double Rotated(double[,] x, int t, int head, int j)
    {
        var half = headSize / 2;
        var start = head * headSize;
        return j < half
            ? (x[t, start + j] * Cosines[t, j]) - (x[t, start + j + half] * Sines[t, j])
            : (x[t, start + j] * Cosines[t, j - half]) + (x[t, start + j - half] * Sines[t, j - half]);
    }

    private static double[,] Add(double[,] a, double[,] b)
    {
        var sum = (double[,])a.Clone();
        for (var t = 0; t < a.GetLength(0); t++)
        {
            for (var j = 0; j < a.GetLength(1); j++)
            {
                sum[t, j] += b[t, j];
            }
        }

        return sum;
    }
}
