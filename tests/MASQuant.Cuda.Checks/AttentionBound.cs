namespace MASQuant.Cuda.Checks;

/// <summary>How far a head's attention may lie from its definition.</summary>
internal static class AttentionBound
{
    public delegate ReadOnlySpan<ushort> CacheRow(int key);

    /// <summary>Compares a head's output with FP64's.</summary>
    /// <remarks>
    /// A score has its query rounded to BF16 (2⁻⁸ of each product, at most; keys are exact) and FP32 sums (d · 2⁻²² of it): its weight changes by the factor
    /// e^±ε, ε the largest such error, and again where it is rounded to BF16 (2⁻⁸); the sum of weights by e^±ε. FP32: powers and rescaling under 2⁻¹⁴, both sums over n keys under n · 2⁻²².
    /// </remarks>
    public static void Check(ReadOnlySpan<float> query, CacheRow key, CacheRow value, int visible, ReadOnlySpan<float> actual)
    {
        var (scores, error) = (new double[visible], 0.0);
        for (var i = 0; i < visible; i++)
        {
            var magnitude = 0.0;
            for (var j = 0; j < query.Length; j++)
            {
                var product = (double)query[j] * Widen(key(i)[j]) / Math.Sqrt(query.Length);
                scores[i] += product;
                magnitude += Math.Abs(product);
            }

            error = Math.Max(error, magnitude * (Math.Pow(2, -8) + (query.Length * Math.Pow(2, -22))));
        }

        var top = scores.Max();
        var weights = scores.Select(score => Math.Exp(score - top)).ToArray();
        var sum = weights.Sum();
        for (var j = 0; j < actual.Length; j++)
        {
            var (expected, magnitude) = (0.0, 0.0);
            for (var i = 0; i < visible; i++)
            {
                expected += weights[i] / sum * Widen(value(i)[j]);
                magnitude += weights[i] / sum * Math.Abs(Widen(value(i)[j]));
            }

            var bound = magnitude * ((Math.Exp(2 * error) * (1 + Math.Pow(2, -8)) * (1 + Math.Pow(2, -14) + (visible * Math.Pow(2, -22)))) - 1);
            Require.Near(expected, actual[j], bound, $"value {j} over {visible} keys");
        }
    }

    private static float Widen(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}
