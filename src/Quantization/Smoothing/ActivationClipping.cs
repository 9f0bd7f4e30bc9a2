using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Factors;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Chooses, for one input group and each modality, at which share of a token's largest magnitude the range of its codes ends: a few values that become the last code can pay by all others being rounded more finely.</summary>
/// <param name="factors">Smooth and rotate the input.</param>
/// <param name="scheme">How activations are quantized.</param>
internal sealed class ActivationClipping(SmoothingFactors factors, QuantizationScheme scheme)
{
    // Tokens of a modality that are measured per sample, evenly spaced; a mean over some thousand needs no more.
    private const int TokensPerSample = 32;

    private static readonly float[] Candidates = [1f, 0.95f, 0.9f, 0.85f, 0.8f, 0.75f, 0.7f, 0.65f, 0.6f, 0.55f, 0.5f];

    private readonly double[][] _errors = [.. Enumerable.Range(0, ModalityMap.ModalityCount).Select(_ => new double[Candidates.Length])];

    /// <summary>For each modality the candidate with the least Σ(z − Q(z))²; of equals the widest.</summary>
    public IReadOnlyList<float> Best => [.. _errors.Select(errors => Candidates[Array.IndexOf(errors, errors.Min())])];

    /// <summary>Adds a sample's activations, [T, K].</summary>
    public void Add(Matrix x, ModalityMap modalities)
    {
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var smoothed = factors[modality].Smooth(TokenRows.Gather(x, TokenRows.Spread(modalities, modality, TokensPerSample)));
            var errors = new double[smoothed.Rows][];
            Workers.For(smoothed.Rows, t => errors[t] = Errors(smoothed.Row(t)));
            foreach (var row in errors)
            {
                for (var i = 0; i < Candidates.Length; i++)
                {
                    _errors[(int)modality][i] += row[i];
                }
            }
        }
    }

    private double[] Errors(ReadOnlySpan<float> row)
    {
        var largest = 0f;
        foreach (var value in row)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        var errors = new double[Candidates.Length];
        for (var i = 0; i < Candidates.Length && largest > 0; i++)
        {
            var (scale, limit) = (largest * Candidates[i] / scheme.ActivationMax, (float)scheme.ActivationMax);
            var sum = 0f;
            foreach (var value in row)
            {
                var difference = value - (Math.Clamp(MathF.Round(value / scale), -limit, limit) * scale);
                sum += difference * difference;
            }

            errors[i] = sum;
        }

        return errors;
    }
}
