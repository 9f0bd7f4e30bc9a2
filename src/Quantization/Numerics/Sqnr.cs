using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Numerics;

/// <summary>Signal to quantization noise, 10·log10(‖x‖²/‖x − x̂‖²), in dB.</summary>
public static class Sqnr
{
    /// <summary>What stands for "no noise at all", and, negated, for noise without a signal: JSON has no infinity.</summary>
    public const double Ceiling = 300;

    /// <summary>From energies.</summary>
    public static double Decibels(double signal, double noise) => noise > 0
        ? Math.Clamp(10 * Elementary.Log10(signal / noise), -Ceiling, Ceiling)
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

    /// <summary>(‖x‖², ‖x − x̂‖²) as <see cref="Energies"/> has them of FP32 differences, which replace x.</summary>
    public static (double Signal, double Noise) Subtract(Span<float> reference, ReadOnlySpan<float> actual)
    {
        var x = MemoryMarshal.Cast<float, Vector256<float>>(reference);
        var y = MemoryMarshal.Cast<float, Vector256<float>>(actual[..reference.Length]);
        Vector512<double> signals = default, noises = default;
        for (var i = 0; i < x.Length; i++)
        {
            var difference = x[i] - y[i];
            var (signalLower, signalUpper) = Vector256.Widen(x[i]);
            var (noiseLower, noiseUpper) = Vector256.Widen(difference);
            var (wide, error) = (Vector512.Create(signalLower, signalUpper), Vector512.Create(noiseLower, noiseUpper));
            signals = Vector512.FusedMultiplyAdd(wide, wide, signals);
            noises = Vector512.FusedMultiplyAdd(error, error, noises);
            x[i] = difference;
        }

        double signal = 0, noise = 0;
        for (var lane = 0; lane < Vector512<double>.Count; lane++)
        {
            (signal, noise) = (signal + signals[lane], noise + noises[lane]);
        }

        for (var k = x.Length * Vector256<float>.Count; k < reference.Length; k++)
        {
            var difference = reference[k] - actual[k];
            signal = Math.FusedMultiplyAdd(reference[k], reference[k], signal);
            noise = Math.FusedMultiplyAdd(difference, difference, noise);
            reference[k] = difference;
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

        return 10 * Elementary.Log10(sum / (rangeRatios.Length * largest));
    }
}
