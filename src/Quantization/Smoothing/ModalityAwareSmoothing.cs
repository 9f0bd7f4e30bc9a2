using MASQuant.Engine.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Smoothing;

/// <summary>MAS: chooses the smoothing factors of a decoder block's input groups, from ranges (paper Eq. 12), then by gradient (Eq. 13–14).</summary>
/// <param name="options">The method.</param>
/// <param name="simulator">Simulates blocks for the gradient; null for managed code.</param>
public sealed class ModalityAwareSmoothing(QuantizationOptions options, IBlockSimulator? simulator = null)
{
    /// <summary>Whether factors are learned, which takes those of a whole block together.</summary>
    public bool Learns => options.Smoothing != SmoothingKind.None && options.Epochs > 0;

    /// <summary>The factors of a group as its ranges give them.</summary>
    /// <param name="weights">The block's weights in full precision.</param>
    /// <param name="group">The group.</param>
    /// <param name="statistics">The ranges of its input.</param>
    public SmoothingFactors Initial(BlockWeights weights, InputGroup group, ActivationStatistics statistics)
        => Initial(weights, group, statistics, ChannelRange.Of(weights, group));

    /// <summary>The same, of ranges of its weights that are known.</summary>
    /// <param name="weights">The block's weights in full precision.</param>
    /// <param name="group">The group.</param>
    /// <param name="statistics">The ranges of its input.</param>
    /// <param name="ranges">max|w_i| over all of its weights, K values.</param>
    public SmoothingFactors Initial(BlockWeights weights, InputGroup group, ActivationStatistics statistics, float[] ranges)
        => Unrotated(weights, group, statistics, ranges).Rotated(RotationBlock(weights, group));

    /// <summary>The factors of every group, in order, learned by gradient.</summary>
    /// <param name="weights">The block's weights in full precision.</param>
    /// <param name="statistics">The ranges of each group's input.</param>
    /// <param name="sequences">What is learned from.</param>
    /// <param name="targets">The block's full-precision outputs, one [T, H] per sequence.</param>
    /// <param name="report">Receives the share of the learning that is done.</param>
    /// <param name="cancellationToken">Obeyed between steps.</param>
    public SmoothingFactors[] Learn(BlockWeights weights, IReadOnlyList<ActivationStatistics> statistics, IReadOnlyList<CalibrationSequence> sequences, IReadOnlyList<Matrix> targets, Action<double> report, CancellationToken cancellationToken)
    {
        var groups = weights.Description.Groups;
        var matrices = groups.Select(g => weights.Group(g).Select(w => w.ReadMatrix()).ToArray()).ToArray();
        var factors = groups.Select((g, i) => Learnable(weights, g, statistics[i], matrices[i])).ToArray();
        var problem = new SimulationProblem(weights.Description, weights.ReadNorms(), [.. groups.Select((g, i) => Simulated(weights, g, matrices[i], factors[i]))], options.ModalityWeights)
        {
            Exact = [.. weights.Description.Projections.Where(step => step.Group is null).Select(weights.ReadExact)],
            Parameters = weights.ReadParameters(),
        };
        using var block = simulator?.Simulate(problem) ?? new ManagedBlock(problem);
        new FactorLearning(options).Learn(block, sequences, targets, report, cancellationToken);
        return [.. factors.Select((f, i) => new SmoothingFactors([.. Enum.GetValues<Modality>().Select(m => SmoothingFactor.FromValues(f.Factor(m)))]).Rotated(RotationBlock(weights, groups[i])))];
    }

    private SimulatedLayers Simulated(BlockWeights weights, InputGroup group, Matrix[] matrices, GroupFactors factors)
    {
        var (linears, scheme) = (weights.Group(group), options.SchemeFor(weights.Layer, group));
        return new SimulatedLayers(matrices, [.. linears.Select(w => w.Bias)], factors, scheme, options.GroupSizeFor(scheme), RotationBlock(weights, group));
    }

    private int RotationBlock(BlockWeights weights, InputGroup group) => options.RotationBlockFor(weights.Description.LinearsOf(group)[0]);

    private bool Smooths(InputGroup group) => options.Smoothing != SmoothingKind.None && (group != InputGroup.Down || options.CompensateDown);

    private SmoothingFactors Unrotated(BlockWeights block, InputGroup group, ActivationStatistics statistics, float[] ranges)
    {
        if (!Smooths(group))
        {
            return SmoothingFactors.Ones(statistics.Inputs);
        }

        return options.Smoothing == SmoothingKind.Uniform
            ? SmoothingInitialization.Uniform(statistics, ranges, options.MigrationStrength)
            : SmoothingInitialization.ModalityAware(statistics, ranges, Owners(block, group, statistics));
    }

    private GroupFactors Learnable(BlockWeights block, InputGroup group, ActivationStatistics statistics, Matrix[] weights)
    {
        var initial = Unrotated(block, group, statistics, ChannelRange.Of(weights, statistics.Inputs));
        var logarithms = Enum.GetValues<Modality>().Select(m => initial[m].Values.Select(s => (float)Elementary.Log(s)).ToArray()).ToArray();
        return new GroupFactors(logarithms, Owners(block, group, statistics)) { Learns = Smooths(group) };
    }

    private bool[][] Owners(BlockWeights block, InputGroup group, ActivationStatistics statistics)
        => DeviatingChannels.Pick(statistics, [.. Enum.GetValues<Modality>().Select(modality => Smooths(group) && options.Smoothing == SmoothingKind.ModalityAware ? Carried(block, group, modality) : 0)]);

    // What no patch can carry must not be learned: a channel that deviates costs one rank in every layer of the group.
    private int Carried(BlockWeights block, InputGroup group, Modality modality)
        => options.DeviatingChannels < 0
            ? -1
            : Math.Min(options.DeviatingChannels, block.Description.LinearsOf(group).Min(linear => options.RankFor(block.Layer, linear, modality)));
}
