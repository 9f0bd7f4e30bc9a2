namespace MASQuant.Quantization.Numerics;

/// <summary>Signal to quantization noise, 10·log10(‖x‖²/‖x − x̂‖²), in dB.</summary>
public static class Sqnr
{
    /// <summary>What stands for "no noise at all", and, negated, for noise without a signal: JSON has no infinity.</summary>
    public const double Ceiling = 300;

    /// <summary>From energies.</summary>
    public static double Decibels(double signal, double noise) => noise > 0
        ? Math.Clamp(10 * Math.Log10(signal / noise), -Ceiling, Ceiling)
        : Ceiling;

    /// <summary>Of a whole matrix.</summary>
    public static double Decibels(Matrix reference, Matrix actual)
    {
        var (signal, noise) = Energies(reference.Span, actual.Span);
        return Decibels(signal, noise);
    }

    /// <summary>(‖x‖², ‖x − x̂‖²), summed in FP64.</summary>
    public static (double Signal, double Noise) Energies(ReadOnlySpan<float> reference, ReadOnlySpan<float> actual)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(actual.Length, reference.Length, nameof(actual));
        double signal = 0, noise = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            double difference = (double)reference[i] - actual[i];
            signal += (double)reference[i] * reference[i];
            noise += difference * difference;
        }

        return (signal, noise);
    }

    /// <summary>What one factor for two modalities costs the weaker one (paper, Theorem 1): 10·log10(Σ α_i⁻² / (d·max_i α_i⁻²)) ≤ 0 dB.</summary>
    /// <param name="rangeRatios">α, the d ratios of the stronger modality's range to the weaker one's, channel by channel.</param>
    public static double UniformSmoothingLoss(ReadOnlySpan<double> rangeRatios)
    {
        double sum = 0, largest = 0;
        foreach (var ratio in rangeRatios)
        {
            var share = 1 / (ratio * ratio);
            sum += share;
            largest = Math.Max(largest, share);
        }

        return 10 * Math.Log10(sum / (rangeRatios.Length * largest));
    }
}
