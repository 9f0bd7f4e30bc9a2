using MASQuant.Formats.Models;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>What a run computes, in floating-point operations of an FP32 product; slower kinds are weighed up, and so is what takes time without computing much.</summary>
internal static class PlannedWork
{
    // How many times an operation of each kind takes as long as one of a large FP32 product, as `bench -- quantize-layer 3B` shows.
    private const double Pass = 1.1; // a sequence's products, with attention beside them
    private const double IntegerPass = 0.5;
    private const double Learning = 2.5; // the same with gradients, in steps of one sequence
    private const double Single = 1.15;
    private const double Double = 3;
    private const double RoundingPerWeight = 600; // requantizing a weight after a step of the learning
    private const double PerWeight = 20_000; // reading, scaling, searching clips, rounding, packing

    // What models of a few megabytes take beside their products, in seconds of a machine that multiplies at 460 GFLOP/s.
    private const double Second = 460e9;
    private const double Start = 0.35 * Second;
    private const double PerSequence = 0.0015 * Second; // of a block
    private const double PerElement = 0.14e-6 * Second; // of a token's hidden state, in a block: norms, rotations, rounding
    private const double PerPatch = 0.022 * Second;
    private const double PerSpectrum = 0.008 * Second;

    // Quantized passes through the parts of a block that lead to each group, and the groups themselves: inputs, errors, and on to the next.
    private const double InputPasses = 0.7;
    private const double ErrorPasses = 1.7;
    private const double LastPasses = 1.7;

    /// <summary>Of a whole run.</summary>
    /// <param name="config">The model.</param>
    /// <param name="options">The method.</param>
    /// <param name="calibration">The part of the set that is used.</param>
    /// <param name="towerWeights">Values of the towers' weights, by modality.</param>
    public static double Of(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, Func<Modality, long> towerWeights)
    {
        return Start + Towers(config, calibration, towerWeights) + config.Decoder().Blocks.Sum(block => Block(config, options, calibration, block.Linears));
    }

    // Every token of an image comes from merged patches, of a sound from frames that were joined; each passes the tower.
    private static double Towers(ModelConfig config, CalibrationExtent calibration, Func<Modality, long> towerWeights)
    {
        const int JoinedFrames = 2;
        double merged = config.Vision.SpatialMergeSize * config.Vision.SpatialMergeSize;
        return 2 * Pass * ((calibration.ByModality[(int)Modality.Vision] * merged * towerWeights(Modality.Vision)) + (calibration.ByModality[(int)Modality.Audio] * JoinedFrames * (double)towerWeights(Modality.Audio)));
    }

    private static double Block(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, IReadOnlyList<DecoderLinear> linears)
    {
        double weights = linears.Sum(linear => (double)linear.Outputs * linear.Inputs);
        double tokens = calibration.Tokens;
        var forward = 2 * weights * tokens;
        var products = (forward * Pass) + ((InputPasses + (Rounds(options) * ErrorPasses) + LastPasses) * forward * IntegerPass);
        var beside = (calibration.Samples * PerSequence) + (tokens * config.Text.HiddenSize * PerElement) + (weights * PerWeight);
        return products + beside + Learn(options, calibration, weights) + linears.GroupBy(linear => linear.Group).Sum(group => Group(config, options, calibration, [.. group]));
    }

    private static int Rounds(QuantizationOptions options) => 1 + options.Alternations;

    // Targets and ranges, then every epoch forward and twice that backward, each step with the weights rounded anew.
    private static double Learn(QuantizationOptions options, CalibrationExtent calibration, double weights)
    {
        if (options.Smoothing == SmoothingKind.None || options.Epochs == 0)
        {
            return 0;
        }

        var tokens = Math.Min(calibration.Tokens, BlockQuantizer.LearningTokens);
        var steps = (double)calibration.Samples * tokens / Math.Max(1, calibration.Tokens);
        return (((InputPasses * calibration.Tokens) + tokens) * 2 * weights * Pass) + (options.Epochs * ((3 * 2 * weights * tokens * Learning) + (steps * weights * RoundingPerWeight)));
    }

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
        var products = patched == 0 ? 0 : 2 * (calibration.Tokens - calibration.ByModality[(int)Modality.Text]) * outputs * inputs;
        var beside = linears.Length * patched * (PerPatch + (options.DescribesResiduals ? PerSpectrum : 0));
        return (Single * (grams + (Rounds(options) * products))) + (cost * (factors + (Rounds(options) * (solves + decompositions)))) + (Rounds(options) * beside);
    }
}
