using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Smoothing;

/// <summary>MAS: chooses the smoothing factors of a decoder block's four input groups, from ranges (paper Eq. 12), then by gradient (Eq. 13–14).</summary>
/// <param name="config">The decoder's extents.</param>
/// <param name="options">The method.</param>
public sealed class ModalityAwareSmoothing(TextConfig config, QuantizationOptions options)
{
    /// <summary>The factors of every group, in the order of <see cref="InputGroup"/>.</summary>
    /// <param name="weights">The block's weights in full precision.</param>
    /// <param name="statistics">The ranges of each group's input.</param>
    /// <param name="runner">The calibration set.</param>
    /// <param name="targets">The block's full-precision outputs, one [T, H] per sequence.</param>
    /// <param name="report">Receives the share of the learning that is done.</param>
    /// <param name="cancellationToken">Obeyed between steps.</param>
    public SmoothingFactors[] Choose(BlockWeights weights, IReadOnlyList<ActivationStatistics> statistics, BlockRunner runner, IReadOnlyList<Matrix> targets, Action<double> report, CancellationToken cancellationToken)
    {
        var groups = Enum.GetValues<InputGroup>();
        var matrices = groups.Select(g => weights.Group(g).Select(w => w.ReadMatrix()).ToArray()).ToArray();
        if (options.Smoothing == SmoothingKind.None || options.Epochs == 0)
        {
            return [.. groups.Select(g => Initial(g, weights.Layer, statistics[(int)g], matrices[(int)g]))];
        }

        var factors = groups.Select(g => Learnable(g, weights.Layer, statistics[(int)g], matrices[(int)g])).ToArray();
        var block = new BlockSimulation(
            weights.Norms,
            config.RmsNormEpsilon,
            new AttentionSimulation(config.AttentionHeads, config.KeyValueHeads, config.HeadSize),
            [.. groups.Select(g => new GroupSimulation(matrices[(int)g], [.. weights.Group(g).Select(w => w.Bias)], factors[(int)g], options.SchemeFor(weights.Layer, g), options.GroupSizeFor(options.SchemeFor(weights.Layer, g)), weights.Group(g)[0].RotationBlock))]);
        new FactorLearning(options).Learn(block, runner.Sequences, targets, report, cancellationToken);
        return [.. factors.Select(f => new SmoothingFactors([.. Enum.GetValues<Modality>().Select(m => SmoothingFactor.FromValues(f.Factor(m)))]))];
    }

    private bool Smooths(InputGroup group) => options.Smoothing != SmoothingKind.None && (group != InputGroup.Down || options.CompensateDown);

    private SmoothingFactors Initial(InputGroup group, int layer, ActivationStatistics statistics, Matrix[] weights)
    {
        if (!Smooths(group))
        {
            return SmoothingFactors.Ones(statistics.Inputs);
        }

        return options.Smoothing == SmoothingKind.Uniform
            ? SmoothingInitialization.Uniform(statistics, weights, options.MigrationStrength)
            : SmoothingInitialization.ModalityAware(statistics, weights, Owners(group, layer, statistics));
    }

    private GroupFactors Learnable(InputGroup group, int layer, ActivationStatistics statistics, Matrix[] weights)
    {
        var initial = Initial(group, layer, statistics, weights);
        var logarithms = Enum.GetValues<Modality>().Select(m => initial[m].Values.Select(s => MathF.Log(s)).ToArray()).ToArray();
        return new GroupFactors(logarithms, Owners(group, layer, statistics)) { Learns = Smooths(group) };
    }

    private bool[][] Owners(InputGroup group, int layer, ActivationStatistics statistics)
        => DeviatingChannels.Pick(statistics, [.. Enum.GetValues<Modality>().Select(modality => Smooths(group) && options.Smoothing == SmoothingKind.ModalityAware ? Carried(group, layer, modality) : 0)]);

    // What no patch can carry must not be learned: a channel that deviates costs one rank in every layer of the group.
    private int Carried(InputGroup group, int layer, Modality modality)
        => options.DeviatingChannels < 0
            ? -1
            : Math.Min(options.DeviatingChannels, DecoderLinear.Of(config).Where(linear => linear.Group == group).Min(linear => options.RankFor(layer, linear, modality)));
}
