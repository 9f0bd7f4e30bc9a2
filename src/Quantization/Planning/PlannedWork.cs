using MASQuant.Formats.Models;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>What a run computes, in floating-point operations of an FP32 product; slower kinds are weighed up.</summary>
internal static class PlannedWork
{
    // How many times an operation of each kind takes as long as one of a large FP32 product; measured once, and good for an order of magnitude.
    private const double Small = 2.5; // products of a sequence's rows, attention and norms beside them
    private const double Single = 1.7;
    private const double Double = 5;
    private const double RoundingPerWeight = 600; // requantizing a weight after a step of the learning

    public static double Of(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration)
    {
        return config.Decoder().Blocks.Sum(block => Block(config, options, calibration, block.Linears));
    }

    private static double Block(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, IReadOnlyList<DecoderLinear> linears)
    {
        double weights = linears.Sum(linear => (double)linear.Outputs * linear.Inputs);
        var forward = 2 * weights * calibration.Tokens;
        var groups = linears.GroupBy(linear => linear.Group).Sum(group => Group(config, options, calibration, [.. group]));

        // Outputs, ranges and on to the next block; of each group the inputs, the measurement, and the residuals, which take the block up to there.
        var passes = 3 + 1 + 3 + (options.Compensation == CompensationKind.Output || options.Alternations > 0 ? 3 * Rounds(options) : 0);
        var learning = options.Smoothing == SmoothingKind.None ? 0 : (((3.0 * options.Epochs) + (options.Epochs > 0 ? 2 : 0)) * forward * Small) + (options.Epochs * calibration.Samples * weights * RoundingPerWeight);
        return (passes * forward * Small) + learning + groups;
    }

    private static int Rounds(QuantizationOptions options) => 1 + options.Alternations;

    private static double Group(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, DecoderLinear[] linears)
    {
        double inputs = linears[0].Inputs;
        var cost = inputs <= GramMatrix.MaxWideInputs ? Double : Single;
        var square = inputs * inputs;
        var patched = options.Compensation == CompensationKind.None ? 0 : config.Modalities.Count - 1;
        var feedback = options.WeightQuantizer == WeightQuantizerKind.Gptq ? 1 : 0;
        double outputs = linears.Sum(linear => (double)linear.Outputs);
        var grams = calibration.Tokens * square;
        var factors = (feedback + patched) * inputs * square * 2 / 3;
        var solves = (feedback + patched) * outputs * square;
        const int Iterations = 40; // of the truncated decomposition, and of the spectra
        var decompositions = patched * Iterations * 4 * 32 * outputs * inputs;
        return cost * (grams + factors + (Rounds(options) * (solves + decompositions)));
    }
}
