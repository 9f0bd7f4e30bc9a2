using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Holds Theorem 1 of the paper against measurement for one input group: what one factor for all modalities costs each of them, beside a factor of its own. Both factors are those that ranges give (Eq. 12), not learned ones.</summary>
internal sealed class SmoothingMisalignment
{
    private const int Decimals = 4;

    // Stands for a channel in which a modality is silent: JSON has no infinity.
    private const double MaxOctaves = 99;

    private readonly InputGroup _group;
    private readonly ActivationStatistics _ranges;
    private readonly int? _activationMax;
    private readonly float[] _all;
    private readonly SmoothingFactor _uniform;
    private readonly SmoothingFactor?[] _own = new SmoothingFactor?[ModalityMap.ModalityCount];
    private readonly double[] _loss = new double[ModalityMap.ModalityCount];
    private readonly long[] _tokens = new long[ModalityMap.ModalityCount];

    private SmoothingMisalignment(InputGroup group, ActivationStatistics ranges, float[] weights, QuantizationScheme scheme)
    {
        (_group, _ranges, _all) = (group, ranges, ranges.AbsMax());
        _activationMax = scheme.QuantizesActivations ? scheme.ActivationMax : null;
        _uniform = SmoothingInitialization.Balance(_all, weights, 0.5);
        foreach (var modality in Seen)
        {
            _own[(int)modality] = SmoothingInitialization.Balance(ranges.AbsMax(modality), weights, 0.5);
        }
    }

    private IEnumerable<Modality> Seen => Enum.GetValues<Modality>().Where(modality => _ranges.TokenCount(modality) > 0);

    /// <summary>One entry per modality that calibration saw, when it saw several.</summary>
    /// <param name="group">The group.</param>
    /// <param name="ranges">The ranges of its inputs.</param>
    /// <param name="weights">max|w_i| over all of its weights, K values.</param>
    /// <param name="sample">Its inputs.</param>
    /// <param name="scheme">How activations are quantized.</param>
    public static IEnumerable<MisalignmentFacts> Measure(InputGroup group, ActivationStatistics ranges, float[] weights, TokenSample sample, QuantizationScheme scheme)
    {
        var misalignment = new SmoothingMisalignment(group, ranges, weights, scheme);
        foreach (var (x, modalities) in sample.Taken)
        {
            misalignment.Add(x, modalities);
        }

        return misalignment.Facts();
    }

    private void Add(Matrix x, ModalityMap modalities)
    {
        foreach (var modality in _activationMax is null ? [] : Seen)
        {
            var rows = TokenRows.Split(modalities)[(int)modality];
            var losses = new double[rows.Length];
            Workers.For(rows.Length, i =>
            {
                var row = x.Row(rows[i]);
                losses[i] = Decibels(row, _uniform) - Decibels(row, _own[(int)modality]!);
            });
            _loss[(int)modality] += losses.Sum();
            _tokens[(int)modality] += rows.Length;
        }
    }

    private IEnumerable<MisalignmentFacts> Facts() => Seen.Count() < 2 ? [] : Seen.Select(modality =>
    {
        var own = _ranges.AbsMax(modality).ToArray();
        double[] ratios = [.. _all.Select((all, k) => all == own[k] ? 1 : (double)all / own[k])];
        double[] smoothed = [.. own.Select((range, k) => (double)range * _own[(int)modality]!.Inverse[k])];
        double[] shared = [.. own.Select((range, k) => (double)range * _uniform.Inverse[k])];
        return new MisalignmentFacts
        {
            Group = _group.ToString(),
            Modality = modality.ToString(),
            RangeRatios = Quantiles([.. ratios.Select(ratio => Math.Min(Elementary.Log2(ratio), MaxOctaves))]),
            PredictedLoss = Rounded(Sqnr.UniformSmoothingLoss(ratios)),
            PredictedSmoothedLoss = Rounded(Fill(shared) - Fill(smoothed)),
            MeasuredLoss = _tokens[(int)modality] > 0 ? Rounded(_loss[(int)modality] / _tokens[(int)modality]) : null,
        };
    });

    private double Decibels(ReadOnlySpan<float> row, SmoothingFactor factor)
    {
        var smoothed = new float[row.Length];
        var rounded = new float[row.Length];
        VectorProduct.Multiply(row, factor.Inverse, smoothed);
        FakeQuantizer.Round(smoothed, _activationMax!.Value, rounded);
        var (signal, noise) = Sqnr.Subtract(smoothed, rounded);
        return Sqnr.Decibels(signal, noise);
    }

    // How much of a grid that the widest channel sets the channels fill, in dB: what Theorem 1 compares.
    private static double Fill(double[] ranges)
    {
        var largest = ranges.Max();
        return largest > 0 ? 10 * Elementary.Log10(ranges.Sum(range => range * range) / (ranges.Length * largest * largest)) : 0;
    }

    private static double[] Quantiles(double[] values)
    {
        Array.Sort(values);
        return [.. ((double[])[0, 0.1, 0.5, 0.9, 1]).Select(share => Rounded(values[(int)Math.Round(share * (values.Length - 1))]))];
    }

    private static double Rounded(double value) => Math.Round(value, Decimals);
}
