namespace MASQuant.Evaluation.Tuning;

/// <summary>What real quantizations had for what was predicted of them: factors on the predictions, interpolated between measured settings. Immutable.</summary>
internal sealed class NoiseCorrections
{
    /// <summary>Nothing was measured: all factors are 1.</summary>
    public static readonly NoiseCorrections None = new([]);

    // Ordered by level, each level once.
    private readonly Anchor[] _anchors;

    private NoiseCorrections(Anchor[] anchors) => _anchors = anchors;

    /// <summary>The same, and exact at one more setting.</summary>
    /// <param name="predicted">Its predicted noise, uncorrected.</param>
    /// <param name="factors">Measured by predicted, all positive; as many for every setting.</param>
    public NoiseCorrections With(double[] predicted, double[] factors)
    {
        var added = new Anchor(Level(predicted), [.. factors.Select(factor => Elementary.Log(factor))]);
        return new NoiseCorrections([.. _anchors.Where(anchor => anchor.Level != added.Level).Append(added).OrderBy(anchor => anchor.Level)]);
    }

    /// <summary>The factors at a setting: linear in logarithms between the nearest noisier and the nearest quieter measured one, constant beyond them.</summary>
    /// <param name="predicted">Its predicted noise, uncorrected.</param>
    public double[] At(double[] predicted)
    {
        if (_anchors.Length == 0)
        {
            return [.. Enumerable.Repeat(1.0, predicted.Length)];
        }

        var level = Level(predicted);
        var above = Array.FindIndex(_anchors, anchor => anchor.Level >= level);
        var (low, high) = above switch
        {
            0 => (_anchors[0], _anchors[0]),
            < 0 => (_anchors[^1], _anchors[^1]),
            _ => (_anchors[above - 1], _anchors[above]),
        };
        var share = high.Level > low.Level ? (level - low.Level) / (high.Level - low.Level) : 0;
        var factors = new double[low.Logarithms.Length];
        for (var i = 0; i < factors.Length; i++)
        {
            factors[i] = Elementary.Exp(low.Logarithms[i] + (share * (high.Logarithms[i] - low.Logarithms[i])));
        }

        return factors;
    }

    private static double Level(double[] predicted) => Elementary.Log(Math.Max(predicted.Sum(), double.Epsilon));

    private sealed record Anchor(double Level, double[] Logarithms);
}
