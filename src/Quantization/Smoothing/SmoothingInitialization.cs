using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Smoothing factors from ranges alone, before anything is learned. A group's weights share their factor, so a channel's weight range is taken over all of them.</summary>
internal static class SmoothingInitialization
{
    /// <summary>A range below this is treated as this: a channel that calibration never saw active must not be blown up when it wakes.</summary>
    private const float SmallestRange = 1e-5f;

    /// <summary>MAS: s_i^m = sqrt(max_t|x_{t,i}^m| / max_j|w_{j,i}|), each modality by its own range (paper, Eq. 12) in the channels that it owns. In all others it shares the base factor, whose range is that of the modalities that share it.</summary>
    /// <param name="statistics">The group's activations.</param>
    /// <param name="weights">max|w_i| over all of the group's weights, K values.</param>
    /// <param name="owners">Per modality, K flags.</param>
    public static SmoothingFactors ModalityAware(ActivationStatistics statistics, float[] weights, bool[][] owners)
    {
        var shared = new float[statistics.Inputs];
        foreach (var modality in Enum.GetValues<Modality>().Where(m => statistics.TokenCount(m) > 0))
        {
            for (var k = 0; k < shared.Length; k++)
            {
                if (modality == Modality.Text || !owners[(int)modality][k])
                {
                    shared[k] = Math.Max(shared[k], statistics.AbsMax(modality)[k]);
                }
            }
        }

        var factors = new SmoothingFactor[ModalityMap.ModalityCount];
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var range = (float[])shared.Clone();
            for (var k = 0; k < range.Length && modality != Modality.Text; k++)
            {
                range[k] = owners[(int)modality][k] ? statistics.AbsMax(modality)[k] : range[k];
            }

            factors[(int)modality] = Balance(range, weights, 0.5);
        }

        return new SmoothingFactors(factors);
    }

    /// <summary>SmoothQuant: one factor s_i = max|x_i|^α / max|w_i|^(1 − α) over all modalities (Xiao et al., 2023, Eq. 4).</summary>
    /// <param name="statistics">The group's activations.</param>
    /// <param name="weights">max|w_i| over all of the group's weights, K values.</param>
    /// <param name="migrationStrength">α in [0, 1].</param>
    public static SmoothingFactors Uniform(ActivationStatistics statistics, float[] weights, double migrationStrength = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(migrationStrength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(migrationStrength, 1);
        return SmoothingFactors.Uniform(Balance(statistics.AbsMax(), weights, migrationStrength));
    }

    /// <summary>s_i = max|x_i|^α / max|w_i|^(1 − α).</summary>
    /// <param name="activations">max|x_i|, K values.</param>
    /// <param name="weights">max|w_i|, K values.</param>
    /// <param name="strength">α in [0, 1].</param>
    public static SmoothingFactor Balance(ReadOnlySpan<float> activations, ReadOnlySpan<float> weights, double strength)
    {
        var factor = new float[activations.Length];
        for (var k = 0; k < factor.Length; k++)
        {
            double x = Math.Max(activations[k], SmallestRange);
            double w = Math.Max(weights[k], SmallestRange);

            // The square root is exactly rounded, powers are not.
            factor[k] = (float)(strength == 0.5 ? Math.Sqrt(x / w) : Elementary.Pow(x, strength) / Elementary.Pow(w, 1 - strength));
        }

        return SmoothingFactor.FromValues(factor);
    }
}
