using MASQuant.Formats.Models;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>What a run computes, in floating-point operations of an FP32 product; slower kinds are weighed up.</summary>
internal static class PlannedWork
{
    // How many times an operation of each kind takes as long as one of a large FP32 product, as `bench -- quantize-layer 3B` shows.
    private const double Pass = 1.4; // a sequence's products, with attention and norms beside them
    private const double IntegerPass = 0.7;
    private const double Learning = 2.5; // the same with gradients, in steps of one sequence
    private const double Single = 1.5;
    private const double Double = 3;
    private const double RoundingPerWeight = 600; // requantizing a weight after a step of the learning
    private const double PerWeight = 3000; // reading, scaling, rounding, packing

    // Quantized passes through the parts of a block that lead to each group, and the groups themselves: inputs, errors, and on to the next.
    private const double InputPasses = 0.7;
    private const double ErrorPasses = 1.7;
    private const double LastPasses = 1.7;

    // Of tokens, those of modalities that have patches; not known before media are embedded.
    private const double PatchedShare = 0.5;

    public static double Of(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration)
    {
        return config.Decoder().Blocks.Sum(block => Block(config, options, calibration, block.Linears));
    }

    private static double Block(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, IReadOnlyList<DecoderLinear> linears)
    {
        double weights = linears.Sum(linear => (double)linear.Outputs * linear.Inputs);
        var forward = 2 * weights * calibration.Tokens;
        var groups = linears.GroupBy(linear => linear.Group).Sum(group => Group(config, options, calibration, [.. group]));

        var learns = options.Smoothing != SmoothingKind.None && options.Epochs > 0;
        var exact = (1 + (learns ? InputPasses + 1 : 0)) * forward * Pass;
        var quantized = (InputPasses + (Rounds(options) * ErrorPasses) + LastPasses) * forward * IntegerPass;
        var learning = learns ? (((3.0 * options.Epochs) + 2) * forward * Learning) + (options.Epochs * calibration.Samples * weights * RoundingPerWeight) : 0;
        return exact + quantized + learning + groups + (weights * PerWeight);
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
        var products = patched == 0 ? 0 : 2 * PatchedShare * calibration.Tokens * outputs * inputs;
        return (Single * (grams + (Rounds(options) * products))) + (cost * (factors + (Rounds(options) * (solves + decompositions))));
    }
}
