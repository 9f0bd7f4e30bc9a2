using MASQuant.Configuration;
using MASQuant.Layers;
using MASQuant.Numerics;
using MASQuant.Quantization;

namespace MASQuant.Planning;

/// <summary>The peak of memory: one block and its widest group's statistics, and the calibration set's activations.</summary>
internal static class PlannedMemory
{
    private const long Program = 300_000_000;
    private const long LargestBatch = 1 << 29; // BlockRunner's activations under way
    private const int Sequences = 16;

    public static long Of(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, long towerBytes)
    {
        var linears = DecoderLinear.Of(config.Text);
        var weights = linears.Sum(linear => (long)linear.Outputs * linear.Inputs);
        var activations = 4 * calibration.Tokens * config.Text.HiddenSize * sizeof(float);
        var batch = Math.Min(LargestBatch, Sequences * calibration.Longest * ((3L * config.Text.IntermediateSize) + (8L * config.Text.HiddenSize)) * sizeof(float));
        var block = weights * 3; // BF16 as it is, and quantized

        // The towers are gone when blocks are quantized.
        var widest = linears.GroupBy(linear => linear.Group).Max(group => Group(config, options, [.. group]));
        return Program + activations + Math.Max(towerBytes, block + batch + Math.Max(Learning(options, weights), widest));
    }

    // Weight, smoothed, rounded and gradient, in FP32; a modality that frees every channel has the last three of its own.
    private static long Learning(QuantizationOptions options, long weights)
    {
        if (options.Smoothing == SmoothingKind.None)
        {
            return weights * sizeof(float);
        }

        var copies = options.Epochs == 0 ? 1 : options.DeviatingChannels < 0 ? 1 + (3 * ModalityMap.ModalityCount) : 4;
        return weights * copies * sizeof(float);
    }

    // C of every modality, their sum and two factors; P of every patched modality; a weight, its residual and its errors.
    private static long Group(ModelConfig config, QuantizationOptions options, DecoderLinear[] linears)
    {
        long inputs = linears[0].Inputs;
        var element = inputs <= GramMatrix.MaxWideInputs ? sizeof(double) : sizeof(float);
        var patched = options.Compensation != CompensationKind.None;
        var grams = options.WeightQuantizer == WeightQuantizerKind.Gptq || patched ? config.Modalities.Count + 2 : config.Modalities.Count;
        var products = patched ? (config.Modalities.Count - 1) * linears.Sum(linear => (long)linear.Outputs) * inputs * element : 0;
        return (grams * inputs * inputs * element) + products + (linears.Max(linear => (long)linear.Outputs) * inputs * (2 * sizeof(float) + element));
    }
}
