namespace MASQuant.Formats.Configuration;

/// <summary>YaRN: positions beyond those of training, by frequencies that are interpolated the more the slower they turn (arXiv 2309.00071, as transformers computes it).</summary>
/// <param name="Factor">How many times the positions of training there may be.</param>
/// <param name="OriginalPositions">The positions of training.</param>
/// <param name="AttentionFactor">What cosines and sines are multiplied by.</param>
/// <param name="BetaFast">A frequency that turns so often within the original positions, or more, stays as it is.</param>
/// <param name="BetaSlow">One that turns so often, or less, is divided by the factor.</param>
public sealed record YarnScaling(double Factor, int OriginalPositions, double AttentionFactor, double BetaFast, double BetaSlow)
{
    /// <summary>Reads <c>rope_scaling</c> of the type <c>yarn</c>.</summary>
    /// <param name="rope">The object.</param>
    /// <param name="maxPositions">The longest sequence, for files that do not say the original one.</param>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static YarnScaling Read(ConfigSection rope, int maxPositions)
    {
        rope.RequireFlag("truncate", true);
        var factor = rope.Number("factor", 1, 1024);
        return new YarnScaling(
            factor,
            rope.Whole("original_max_position_embeddings", 1, 1 << 24, maxPositions),
            rope.Number("attention_factor", 1e-3, 1e3, ReadAttention(rope, factor)),
            rope.Number("beta_fast", 1e-3, 1e6, 32),
            rope.Number("beta_slow", 1e-3, 1e6, 1));
    }

    /// <summary>The frequencies θ^(−2i/d), scaled.</summary>
    /// <param name="theta">θ.</param>
    /// <param name="size">d, the values of a head.</param>
    public double[] Frequencies(double theta, int size)
    {
        var (low, high) = (Math.Max(0, Math.Floor(Dimension(BetaFast))), Math.Min(size - 1, Math.Ceiling(Dimension(BetaSlow))));
        var frequencies = new double[size / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var interpolated = Math.Clamp((i - low) / (high == low ? 0.001 : high - low), 0, 1);
            frequencies[i] = Elementary.Pow(theta, -2.0 * i / size) * ((interpolated / Factor) + 1 - interpolated);
        }

        return frequencies;

        // The pair of values whose frequency turns so often within the original positions.
        double Dimension(double turns) => size * Elementary.Log(OriginalPositions / (turns * 2 * Math.PI)) / (2 * Elementary.Log(theta));
    }

    private static double ReadAttention(ConfigSection rope, double factor)
    {
        var (scale, all) = (rope.Number("mscale", 0, 1e3, 0), rope.Number("mscale_all_dim", 0, 1e3, 0));
        return scale > 0 && all > 0 ? Scale(factor, scale) / Scale(factor, all) : Scale(factor, 1);
    }

    private static double Scale(double factor, double scale) => factor <= 1 ? 1 : (0.1 * scale * Elementary.Log(factor)) + 1;
}
