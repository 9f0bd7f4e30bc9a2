using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Smoothing;

namespace MASQuant.Quantization.Planning;

/// <summary>The peak of resident memory, added up from what is in use at once: mapped weights included, which the system may take back.</summary>
internal static class PlannedMemory
{
    private const long Program = 220_000_000; // the runtime, compiled code and small objects
    private const long Streams = 1 << 30; // NoiseMeasurement's
    private const int CodeBytes = 2; // a code, and its share of grids or packed weights
    private const int Mapped = sizeof(ushort); // of a weight in the file

    public static long Of(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, long towerBytes, long artifactBytes)
    {
        var inUse = InUse(config, options, calibration, towerBytes, artifactBytes);
        return Program + inUse + Math.Min(inUse, LargeBuffers.MaxGarbage);
    }

    /// <summary>What is in use at the worst moment, without the program and without garbage.</summary>
    public static long InUse(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, long towerBytes, long artifactBytes)
    {
        var blocks = config.Decoder().Blocks;
        var weights = blocks.Max(block => block.Linears.Sum(Values));
        var vocabulary = (long)config.Text.VocabularySize * config.Text.HiddenSize;

        // Of every sequence both streams where they stand, and the exact one further on with an output that waits; and what towers leave for the first blocks, at most for every token.
        var streams = 4 + config.Vision.DeepstackBlocks.Count;
        var hidden = calibration.Tokens * config.Text.HiddenSize * sizeof(float);
        var batch = SequenceBatches.BytesOf(config.Text, calibration.Samples, calibration.Longest);
        var groups = blocks.SelectMany(block => block.Groups.Select(block.LinearsOf)).Max(group => Group(config, options, calibration, group));
        var block = (weights * (Mapped + sizeof(ushort) + 1)) + batch + Math.Max(Learning(options, weights), groups);

        // Towers and embeddings are gone when blocks are quantized.
        var prepare = (Mapped * vocabulary) + (2 * towerBytes) + Media(config.Vision, calibration);
        var gradients = options.ModalityWeights.Count > 0 ? 0 : ((Mapped + sizeof(float)) * (vocabulary + weights)) + (GradientWeights.Samples * (config.Text.Layers + 1) * calibration.Longest * config.Text.HiddenSize * sizeof(float));
        var allocation = options.PatchBytes is null ? 0 : Streams + block;
        return RealGemm.PooledBytes + (streams * hidden) + new[] { prepare, gradients, allocation, block, artifactBytes }.Max(); // Writing maps what is copied.
    }

    // The widest moment of quantizing one input group, beside the block itself and the sequences under way.
    private static long Group(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, IReadOnlyList<DecoderLinear> linears)
    {
        var inputs = linears[0].Inputs;
        var element = inputs <= GramMatrix.MaxWideInputs ? sizeof(double) : sizeof(float);
        var square = (long)inputs * inputs * element;
        var (all, largest) = (linears.Sum(Values), linears.Max(Values));
        var modalities = config.Modalities.Count;
        var patched = options.Compensation == CompensationKind.None ? 0 : modalities - 1;
        var alternates = options.Alternations > 0;
        var feedback = options.WeightQuantizer == WeightQuantizerKind.Gptq;

        // Every modality's Gram matrix beside the sample of tokens.
        var observing = modalities * (square + ((GramMatrix.PendingRows + TokenSample.RowsOf(calibration.Samples)) * inputs * sizeof(float)));

        // Text's Gram matrix becomes the feedback's H where it lies, unless rounds follow, and H its factor; libtorch factors a copy.
        var kept = alternates || (!feedback && patched > 0) ? modalities : patched;
        var factoring = (kept + (feedback ? options.Compute == ComputeKind.TorchCpu ? 4 : 1 : 0)) * square;

        // A weight as it was read and scaled, or scaled with the errors of its rounding.
        var rounding = ((kept + (feedback ? 1 : 0)) * square) + (CodeBytes * all) + (alternates ? sizeof(float) * all : 0)
            + (largest * (sizeof(float) + Math.Max(sizeof(float), feedback ? element : 0)));

        // P of every layer, and the rows that wait to be added to it.
        var gathering = patched == 0 ? 0 : (kept * square) + (2 * CodeBytes * all) + (patched * element * all)
            + ((alternates ? modalities : patched) * OutputErrors.PendingRows * (inputs + linears.Sum(linear => (long)linear.Outputs)) * sizeof(float));

        // P of every layer, one P to be whitened, and a weight and what its codes leave of it; C_m becomes its factor, unless rounds follow.
        var fitting = patched == 0 ? 0 : ((kept + (alternates ? 1 : 0)) * square) + (CodeBytes * all) + (2 * sizeof(float) * largest) + (((patched * all) + largest) * element);

        // Two fits with their residuals of all modalities, the sides of the equations and one under way; H and its factor, that of the feedback, and what patches keep for the next round.
        var whitenings = inputs <= GramMatrix.MaxWideInputs ? patched : 0;
        var rounds = alternates ? ((kept + 3 + whitenings) * square) + (((2 * modalities) + 2) * element * all) + (2 * ((sizeof(float) + CodeBytes) * all)) : 0;
        return new[] { observing, factoring, rounding, gathering, fitting, rounds }.Max();
    }

    // A sequence on every thread: four patches and more for a token, and the intermediate results of one block.
    private static long Media(VisionConfig vision, CalibrationExtent calibration)
        => Math.Min(Workers.Count, calibration.Samples) * calibration.Longest * vision.SpatialMergeSize * vision.SpatialMergeSize
            * ((8L * vision.HiddenSize) + (3L * vision.IntermediateSize)) * sizeof(float);

    // Weight, smoothed, rounded and gradient, in FP32; a modality that frees every channel has the last three of its own.
    private static long Learning(QuantizationOptions options, long weights)
    {
        var copies = options.Smoothing == SmoothingKind.None || options.Epochs == 0 ? 1 : options.DeviatingChannels < 0 ? 1 + (3 * ModalityMap.ModalityCount) : 4;
        return weights * copies * sizeof(float);
    }

    private static long Values(DecoderLinear linear) => (long)linear.Outputs * linear.Inputs;
}
