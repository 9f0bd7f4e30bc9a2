using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>λ_m of every decoder block from gradients: how much the loss of the answers, −log p per token, changes with an average value of the block's output at the tokens of modality m,
/// mean|∂L/∂Y_m| in the full-precision model (the idea of MBQ, Li et al., 2025). Scaled to a mean of 1 over the modalities that occur.</summary>
internal static class GradientWeights
{
    /// <summary>How many sequences are enough; what is held grows with them.</summary>
    public const int Samples = 16;

    // A modality of which the answers see nothing, such as media after the last block's attention, still has outputs to keep in shape.
    private const double Smallest = 0.02;

    /// <summary>λ, [block][modality].</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="decoder">Its decoder.</param>
    /// <param name="samples">Sequences of the calibration set, before any block; the inputs of all blocks are held of each.</param>
    /// <param name="cancellationToken">Obeyed between samples.</param>
    public static double[][] Measure(ITensorSource source, DecoderDescription decoder, IReadOnlyList<CalibrationSequence> samples, CancellationToken cancellationToken)
    {
        var inputs = Forward(source, decoder, samples, cancellationToken);
        var loss = new AnswerLoss(Norm.Read(source, "", decoder.FinalNorm), source.ReadMatrix(decoder.Head, decoder.Config.VocabularySize, decoder.Config.HiddenSize));
        var gradients = samples.Select((sample, i) => loss.Gradient(inputs[^1][i], sample)).ToArray();
        var weights = new double[decoder.Blocks.Count][];
        for (var layer = decoder.Blocks.Count - 1; layer >= 0; layer--)
        {
            weights[layer] = Normalize(gradients, samples);
            var block = Exact(BlockWeights.Of(source, decoder, layer));
            for (var i = 0; i < samples.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                block.Forward(inputs[layer][i], samples[i].Modalities, samples[i].Rotary, samples[i].Deepstack);
                gradients[i] = block.Backward(gradients[i]);
            }
        }

        return weights;
    }

    // What enters each block, and what leaves the last: [block][sample].
    private static Matrix[][] Forward(ITensorSource source, DecoderDescription decoder, IReadOnlyList<CalibrationSequence> samples, CancellationToken cancellationToken)
    {
        var runner = new BlockRunner(decoder.Config, samples);
        var inputs = new Matrix[decoder.Blocks.Count + 1][];
        inputs[0] = [.. samples.Select(sample => sample.Exact)];
        var order = samples.Select((sample, i) => (sample, i)).ToDictionary(pair => pair.sample, pair => pair.i);
        for (var layer = 0; layer < decoder.Blocks.Count; layer++)
        {
            var entering = inputs[layer];
            inputs[layer + 1] = runner.Outputs(BlockWeights.Of(source, decoder, layer).ToDense(), sample => entering[order[sample]], cancellationToken);
        }

        return inputs;
    }

    private static BlockSimulation Exact(BlockWeights weights) => new(
        weights.Description,
        weights.ReadNorms(),
        [.. weights.Description.Projections.Select(step => step.Group is { } group
            ? new ExactGroup([.. weights.Group(group).Select(w => w.ReadMatrix())], [.. weights.Group(group).Select(w => w.Bias)])
            : new ExactGroup(weights.ReadExact(step)))],
        weights.ReadParameters());

    private static double[] Normalize(Matrix[] gradients, IReadOnlyList<CalibrationSequence> samples)
    {
        var sums = new double[ModalityMap.ModalityCount];
        var counts = new long[ModalityMap.ModalityCount];
        for (var i = 0; i < gradients.Length; i++)
        {
            for (var t = 0; t < gradients[i].Rows; t++)
            {
                var modality = (int)samples[i].Modalities[t];
                foreach (var value in gradients[i].Row(t))
                {
                    sums[modality] += Math.Abs(value);
                }

                counts[modality]++;
            }
        }

        double[] means = [.. sums.Select((sum, m) => counts[m] > 0 ? sum / counts[m] : 0)];
        var present = counts.Count(count => count > 0);
        return means.Sum() is > 0 and var total
            ? [.. means.Select((mean, m) => counts[m] > 0 ? Math.Max(Smallest, present * mean / total) : 0)]
            : [.. counts.Select(count => count > 0 ? 1.0 : 0)];
    }
}
