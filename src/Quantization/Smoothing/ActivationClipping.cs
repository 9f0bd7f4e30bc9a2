using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Chooses, for one input group and each modality, at which share of a token's largest magnitude the range of its codes ends: a few values that become the last code can pay by all others being rounded more finely.</summary>
internal sealed class ActivationClipping
{
    private static readonly float[] Candidates = [1f, 0.95f, 0.9f, 0.85f, 0.8f, 0.75f, 0.7f, 0.65f, 0.6f, 0.55f, 0.5f];

    private readonly SmoothingFactors _factors;
    private readonly QuantizationScheme _scheme;
    private readonly double[][] _errors = [.. Enumerable.Range(0, ModalityMap.ModalityCount).Select(_ => new double[Candidates.Length])];

    private ActivationClipping(SmoothingFactors factors, QuantizationScheme scheme) => (_factors, _scheme) = (factors, scheme);

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
            errors[i] = Error(row, largest * Candidates[i] / _scheme.ActivationMax, _scheme.ActivationMax);
        }

        return errors;
    }

    // Σ(z − Q(z))², always in 512-bit lanes.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Error(ReadOnlySpan<float> row, float scale, float limit)
    {
        var z = MemoryMarshal.Cast<float, Vector512<float>>(row);
        var (step, inverse, high) = (Vector512.Create(scale), Vector512.Create(1 / scale), Vector512.Create(limit));
        var sums = Vector512<float>.Zero;
        for (var i = 0; i < z.Length; i++)
        {
            var difference = z[i] - (Vector512.Min(Vector512.Max(Vector512.Round(z[i] * inverse), -high), high) * step);
            sums = Vector512.FusedMultiplyAdd(difference, difference, sums);
        }

        var sum = 0f;
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            sum += sums[lane];
        }

        for (var k = z.Length * Vector512<float>.Count; k < row.Length; k++)
        {
            var difference = row[k] - (Math.Clamp(MathF.Round(row[k] * (1 / scale)), -limit, limit) * scale);
            sum = MathF.FusedMultiplyAdd(difference, difference, sum);
        }

        return sum;
    }
}
