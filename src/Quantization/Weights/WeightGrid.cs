using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Weights;

/// <summary>The values a code can stand for: (code − <paramref name="ZeroPoint"/>) · <paramref name="Scale"/> for codes <paramref name="Smallest"/> … <paramref name="Largest"/>.</summary>
internal readonly record struct WeightGrid(float Scale, int ZeroPoint, int Smallest, int Largest)
{
    /// <summary>Consecutive inputs of one output that share a scale: 128 in W4A16, otherwise all K.</summary>
    public static int GroupSize(QuantizationScheme scheme, int inputs) => scheme.HasZeroPoints ? PackingLayout.GroupSize : inputs;

    /// <summary>The grid that just holds all of <paramref name="values"/>.</summary>
    public static WeightGrid Fit(ReadOnlySpan<float> values, QuantizationScheme scheme)
    {
        var (smallest, largest) = Range(values);
        return Of(smallest, largest, scheme);
    }

    /// <summary>The least and the greatest of values and 0.</summary>
    public static (float Smallest, float Largest) Range(ReadOnlySpan<float> values)
    {
        float smallest = 0, largest = 0;
        foreach (var value in values)
        {
            smallest = Math.Min(smallest, value);
            largest = Math.Max(largest, value);
        }

        return (smallest, largest);
    }

    /// <summary>The grid that just holds values of a range, shrunk by <paramref name="clip"/> (1 = not at all): symmetric with scale absmax/(2^(b−1)−1), or asymmetric over [min, max] in W4A16. A grid that is shrunk uses the last negative code, −2^(b−1), too.</summary>
    /// <param name="smallest">0 or less.</param>
    /// <param name="largest">0 or more.</param>
    /// <param name="scheme">Codes.</param>
    /// <param name="clip">The share of the range.</param>
    public static WeightGrid Of(float smallest, float largest, QuantizationScheme scheme, float clip = 1)
    {
        if (!scheme.HasZeroPoints)
        {
            var scale = Math.Max(-smallest, largest) * clip / scheme.WeightMax;
            return new WeightGrid(scale > 0 ? scale : 1, 0, -scheme.WeightMax - 1, scheme.WeightMax);
        }

        var steps = (1 << scheme.WeightBits) - 1;
        var step = ((largest * clip) - (smallest * clip)) / steps;
        return step > 0
            ? new WeightGrid(step, (int)Math.Clamp(MathF.Round(-smallest * clip / step), 0, steps), 0, steps)
            : new WeightGrid(1, 0, 0, steps);
    }

    /// <summary>The code nearest to <paramref name="value"/>, ties to even.</summary>
    public int Code(double value) => (int)Math.Clamp(Math.Round(value / Scale) + ZeroPoint, Smallest, Largest);

    /// <summary>What <paramref name="code"/> stands for.</summary>
    public float Value(int code) => (code - ZeroPoint) * Scale;
}
