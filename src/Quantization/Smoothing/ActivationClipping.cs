using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Chooses, for one input group and each modality, at which share of a token's largest magnitude the range of its codes ends: a few values that become the last code can pay by all others being rounded more finely.</summary>
internal sealed class ActivationClipping
{
    private static readonly float[] Candidates = [1f, 0.95f, 0.9f, 0.85f, 0.8f, 0.75f, 0.7f, 0.65f, 0.6f, 0.55f, 0.5f];

    private readonly SmoothingFactors _factors;
    private readonly QuantizationScheme _scheme;
    private readonly float[] _equal;
    private readonly double[][] _errors = [.. Enumerable.Range(0, ModalityMap.ModalityCount).Select(_ => new double[Candidates.Length])];

    private ActivationClipping(SmoothingFactors factors, QuantizationScheme scheme)
    {
        (_factors, _scheme, _equal) = (factors, scheme, new float[factors.Inputs]);
        Array.Fill(_equal, 1f);
    }

    /// <summary>For each modality the candidate with the least Σ(z − Q(z))²; of equals the widest.</summary>
    /// <param name="sample">The input.</param>
    /// <param name="factors">Smooth and rotate it.</param>
    /// <param name="scheme">How activations are quantized.</param>
    public static IReadOnlyList<float> Best(TokenSample sample, SmoothingFactors factors, QuantizationScheme scheme)
    {
        var clipping = new ActivationClipping(factors, scheme);
        foreach (var (x, modalities) in sample.Taken)
        {
            clipping.Add(x, modalities);
        }

        return clipping.Candidate();
    }

    private float[] Candidate() => [.. _errors.Select(errors => Candidates[Array.IndexOf(errors, errors.Min())])];

    private void Add(Matrix x, ModalityMap modalities)
    {
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var smoothed = _factors[modality].Smooth(TokenRows.Gather(x, TokenRows.Split(modalities)[(int)modality]));
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
            errors[i] = RoundingError.Of(row, _equal, largest * Candidates[i] / _scheme.ActivationMax, -_scheme.ActivationMax, _scheme.ActivationMax);
        }

        return errors;
    }
}
