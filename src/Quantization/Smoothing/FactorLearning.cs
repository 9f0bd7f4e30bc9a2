using MASQuant.Engine.Generation;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Learns the factors of one decoder block by gradient (paper Eq. 13–14): the block's simulated output on quantized inputs against its full-precision output.</summary>
/// <param name="options">Epochs, learning rate and seed.</param>
internal sealed class FactorLearning(QuantizationOptions options)
{
    /// <summary>Updates the simulation's factors in place. When the learned factors end with a higher loss over the whole set than the initial ones, the initial ones are put back.</summary>
    /// <param name="block">The block; its factors hold the initial values.</param>
    /// <param name="sequences">The calibration set.</param>
    /// <param name="targets">The block's full-precision output for each sequence, [T, H].</param>
    /// <param name="report">Receives the share of steps done, 0…1.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    /// <returns>The mean loss before and after.</returns>
    public (double Before, double After) Learn(ISimulatedBlock block, IReadOnlyList<CalibrationSequence> sequences, IReadOnlyList<Matrix> targets, Action<double> report, CancellationToken cancellationToken)
    {
        var before = MeanLoss(block, sequences, targets, cancellationToken);
        var initial = block.Factors.SelectMany(f => f.Logarithms).Select(l => (float[])l.Clone()).ToArray();
        var adam = new Adam(block.Factors.Where(f => f.Learns).SelectMany(f => f.Logarithms.Zip(f.Gradients)));
        var random = new RandomSequence(options.Seed);
        var steps = options.Epochs * sequences.Count;
        var order = Enumerable.Range(0, sequences.Count).ToArray();
        for (var step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (step % order.Length == 0)
            {
                random.Shuffle(order);
            }

            block.Descend(sequences[order[step % order.Length]], targets[order[step % order.Length]]);
            adam.Step(options.LearningRate * CosineDecay(step, steps));
            block.Refresh();
            LargeBuffers.Reclaim();
            report((step + 1.0) / steps);
        }

        var after = MeanLoss(block, sequences, targets, cancellationToken);
        if (after <= before)
        {
            return (before, after);
        }

        foreach (var (logarithms, saved) in block.Factors.SelectMany(f => f.Logarithms).Zip(initial))
        {
            saved.CopyTo(logarithms, 0);
        }

        block.Refresh();
        return (before, before);
    }

    private static double MeanLoss(ISimulatedBlock block, IReadOnlyList<CalibrationSequence> sequences, IReadOnlyList<Matrix> targets, CancellationToken cancellationToken)
    {
        var total = 0.0;
        for (var i = 0; i < sequences.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LargeBuffers.Reclaim();
            total += block.Loss(sequences[i], targets[i]);
        }

        return total / sequences.Count;
    }

    private static double CosineDecay(int step, int steps) => 0.5 * (1 + Elementary.Cos(Math.PI * step / steps));
}
