namespace MASQuant.Engine.Tests.Layers;

/// <summary>The layers' formulas in FP64, and reproducible inputs.</summary>
internal static class Oracle
{
    /// <summary>ε of FP32: the spacing above 1, twice the largest relative rounding error.</summary>
    public const double Epsilon = 1.0 / (1 << 23);

    public static float[] Random(int count, int seed, float scale = 1f)
    {
        var random = new Random(seed);
        var values = new float[count];
        foreach (ref var value in values.AsSpan())
        {
            value = scale * ((2f * random.NextSingle()) - 1f);
        }

        return values;
    }

    public static double[] RmsNorm(float[] x, float[] gain, double epsilon)
    {
        var scale = 1 / Math.Sqrt(x.Average(v => (double)v * v) + epsilon);
        return [.. x.Select((v, i) => v * scale * gain[i])];
    }

    public static double[] LayerNorm(float[] x, float[] gain, float[] bias, double epsilon)
    {
        var mean = x.Average(v => (double)v);
        var scale = 1 / Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + epsilon);
        return [.. x.Select((v, i) => ((v - mean) * scale * gain[i]) + bias[i])];
    }

    public static double[] Softmax(ReadOnlySpan<float> x, double scale)
    {
        var values = x.ToArray();
        var largest = values.Max();
        var weights = values.Select(v => Math.Exp(scale * ((double)v - largest))).ToArray();
        var sum = weights.Sum();
        return [.. weights.Select(w => w / sum)];
    }

    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    public static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>erf(x) = 2/√π · e^(−x²) · Σ 2ⁿx^(2n+1)/(2n+1)!!, whose terms all have one sign (Abramowitz and Stegun 7.1.6).</summary>
    private static double Erf(double x)
    {
        var (sum, term) = (0.0, x);
        for (var n = 0; n < 1000 && Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            sum += term;
            term *= 2 * x * x / ((2 * n) + 3);
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
