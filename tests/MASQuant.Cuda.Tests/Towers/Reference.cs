using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>What towers are made of, in FP64 from the definitions. With rounding, operands are rounded to BF16 where the device rounds them: the input of every layer, queries, keys, values and probabilities.</summary>
internal sealed class Reference(ITensorSource source, bool rounds)
{
    public double[][] Linear(string name, double[][] x, int outputs, bool bias = true)
    {
        var inputs = x[0].Length;
        var (weight, offsets) = (source.ReadMatrix(name + ".weight", outputs, inputs), bias ? source.ReadFloats(name + ".bias", outputs) : new float[outputs]);
        return [.. x.Select(row =>
        {
            var rounded = row.Select(Round).ToArray();
            return Enumerable.Range(0, outputs).Select(n =>
            {
                var sum = (double)offsets[n];
                var line = weight.Row(n);
                for (var k = 0; k < inputs; k++)
                {
                    sum += rounded[k] * line[k];
                }

                return sum;
            }).ToArray();
        })];
    }

    public double[][] RmsNorm(string name, double[][] x, double epsilon = 1e-6)
    {
        var gain = source.ReadFloats(name, x[0].Length);
        return [.. x.Select(row => Scale(row, gain, 1 / Math.Sqrt(row.Average(v => v * v) + epsilon)))];
    }

    /// <summary>Softmax attention in which row i sees the rows of its own segment.</summary>
    public double[][] Attend(double[][] q, double[][] k, double[][] v, int heads, int[] segments)
    {
        var size = q[0].Length / heads;
        var factor = 1 / Math.Sqrt(size);
        return [.. q.Select((query, i) =>
        {
            var result = new double[query.Length];
            int[] seen = [.. Enumerable.Range(0, k.Length).Where(j => segments[j] == segments[i])];
            for (var head = 0; head < heads; head++)
            {
                var columns = Enumerable.Range(head * size, size).ToArray();

                // The device scales a query, to powers of two, before it rounds it.
                var scores = seen.Select(j => columns.Sum(c => Round(query[c] * factor * Math.Log2(Math.E)) * Round(k[j][c]))).ToArray();
                var weights = scores.Select(score => Math.Pow(2, score - scores.Max())).ToArray();
                foreach (var c in columns)
                {
                    result[c] = seen.Select((j, n) => Round(weights[n]) * Round(v[j][c])).Sum() / weights.Sum();
                }
            }

            return result;
        })];
    }

    public static double[][] Add(double[][] x, double[][] y) => [.. x.Zip(y, (a, b) => a.Zip(b, (c, d) => c + d).ToArray())];

    public static double[][] Map(double[][] x, Func<double, double> function) => [.. x.Select(row => row.Select(function).ToArray())];

    public static double[][] Rows(Matrix x) => [.. Enumerable.Range(0, x.Rows).Select(row => x.Row(row).ToArray().Select(v => (double)v).ToArray())];

    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    /// <summary>x · Φ(x), Φ by its series; from 6 on it is 1 within 1e-9.</summary>
    public static double Gelu(double x)
    {
        if (Math.Abs(x) > 6)
        {
            return Math.Max(x, 0);
        }

        var (term, sum) = (x, x);
        for (var n = 1; n < 200; n++)
        {
            term *= x * x / ((2 * n) + 1);
            sum += term;
        }

        return x * (0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)));
    }

    /// <summary>The norm of the difference.</summary>
    public static double Distance(double[][] x, double[][] y) => Math.Sqrt(x.Zip(y, (a, b) => a.Zip(b, (c, d) => (c - d) * (c - d)).Sum()).Sum());

    public double Round(double value) => rounds ? BitConverter.UInt32BitsToSingle((uint)BFloat16.FromSingle((float)value) << 16) : value;

    private static double[] Scale(double[] row, float[] gain, double factor) => [.. row.Select((v, i) => v * factor * gain[i])];
}
