using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Blocks;

/// <summary>Quantizes one decoder block: statistics, smoothing, then for each input group in the order of execution weights and compensation, each group seeing what the groups before it have become.</summary>
/// <param name="options">The method.</param>
/// <param name="backend">Executes what is quantized, so that the measured thing is the executed thing.</param>
/// <param name="runner">The calibration set.</param>
/// <param name="compute">Computes the heavy steps.</param>
internal sealed class BlockQuantizer(QuantizationOptions options, IGemmBackend backend, BlockRunner runner, ICompute compute)
{
    /// <summary>The tokens of an epoch: more gain nothing that is seen, and every step rounds the block's weights anew.</summary>
    internal const long LearningTokens = 16384;

    private readonly ModalityAwareSmoothing _smoothing = new(options, compute as IBlockSimulator);

    /// <summary>Quantizes a block and advances the calibration set past it.</summary>
    /// <param name="exact">The block in full precision.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="report">Receives stage and share of it done.</param>
    /// <param name="cancellationToken">Obeyed within every stage.</param>
    public QuantizedBlock Quantize(TransformerBlock exact, BlockWeights weights, Action<QuantizationStage, Modality?, double> report, CancellationToken cancellationToken)
    {
        var progress = new BlockProgress(exact.Description, _smoothing.Learns, report);
        var learned = _smoothing.Learns ? Learn(exact, weights, progress, cancellationToken) : null;
        var walk = runner.Walk(exact);
        var groups = new List<QuantizedGroup>();
        foreach (var (place, group) in exact.Description.Groups.Index())
        {
            var quantized = QuantizeGroup(walk, weights, group, learned?[place], (stage, modality) => progress.Group(place, stage, modality), cancellationToken);
            groups.Add(quantized);
            walk.Pass(group, Executable([.. quantized.Linears.Select(linear => linear.Weight)], quantized.Factors.Input), cancellationToken);
        }

        return QuantizedBlock.Of(weights.Layer, groups);
    }

    /// <summary>What enters an input group, and the factors that its ranges give.</summary>
    public (ActivationStatistics Statistics, SmoothingFactors Factors) Observe(BlockWalk walk, BlockWeights weights, InputGroup group, CancellationToken cancellationToken)
    {
        var statistics = NewStatistics(weights.Description, group, NeedsGrams);
        walk.Inputs(group, (sequence, x) => statistics.Add(x, sequence.Modalities), cancellationToken);
        statistics.Finish();
        return (statistics, _smoothing.Initial(weights, group, statistics));
    }

    /// <summary>Takes the calibration set past a block that was quantized earlier.</summary>
    public void Skip(TransformerBlock exact, QuantizedLayer layer, CancellationToken cancellationToken)
    {
        var walk = runner.Walk(exact);
        foreach (var group in exact.Description.Groups)
        {
            var weights = exact.Description.LinearsOf(group).Select(linear => layer.Linears[linear.Name]).ToArray();
            walk.Pass(group, Executable(weights, layer.Inputs[group]), cancellationToken);
        }
    }

    private QuantizedLinearGroup Executable(IReadOnlyList<QuantizedWeight> weights, InputTransform input)
        => new(weights, input, backend);

    private SmoothingFactors[] Learn(TransformerBlock exact, BlockWeights weights, BlockProgress progress, CancellationToken cancellationToken)
    {
        progress.Learning(QuantizationStage.Calibrate, 0);
        var learning = runner.Of(SpreadSample.OfTokens(runner.Sequences, LearningTokens));
        var targets = learning.Outputs(exact, sequence => sequence.Exact, cancellationToken);
        var ranges = exact.Description.Groups.ToDictionary(group => group, group => NewStatistics(exact.Description, group, keepsGram: false));
        runner.ObserveInputs(exact, (sequence, group, x) => ranges[group].Add(x, sequence.Modalities), cancellationToken);
        progress.Learning(QuantizationStage.Smooth, 0);
        return _smoothing.Learn(weights, [.. exact.Description.Groups.Select(group => ranges[group])], learning.Sequences, targets, done => progress.Learning(QuantizationStage.Smooth, done), cancellationToken);
    }

    private QuantizedGroup QuantizeGroup(BlockWalk walk, BlockWeights weights, InputGroup group, SmoothingFactors? learned, Action<QuantizationStage, Modality?> report, CancellationToken cancellationToken)
    {
        var linears = weights.Group(group);
        var scheme = options.SchemeFor(weights.Layer, group);
        var (statistics, factors, misalignment) = Smooth(walk, weights, group, scheme, learned, report, cancellationToken);

        report(QuantizationStage.Quantize, null);
        var quantizer = NewQuantizer(statistics, factors);
        var compensation = new GroupCompensation(options, weights.Layer, backend, walk, statistics, factors, compute);
        GroupFit Fit(IEnumerable<Matrix> targets)
        {
            WeightCodes[] codes = [.. targets.Select(target => quantizer.Quantize(target, scheme, cancellationToken))];
            if (options.Alternations == 0)
            {
                quantizer.Release();
            }

            report(QuantizationStage.Compensate, null);
            return compensation.Fit(group, linears, codes, modality => report(QuantizationStage.Compensate, modality), cancellationToken);
        }

        var fit = new Alternation(options, statistics, factors, compute).Run(linears.Select(linear => factors.Base.ScaleWeight(linear.ReadMatrix())), Fit);
        compensation.AddSpectra(group, linears, fit, cancellationToken);
        return new QuantizedGroup(group, factors, [.. linears.Select((linear, i) => Packed(linear, fit, i))])
        {
            Misalignment = misalignment,
            Spectra = [.. fit.Patches.SelectMany(patch => patch.Spectra)],
        };
    }

    private (ActivationStatistics Statistics, SmoothingFactors Factors, MisalignmentFacts[] Misalignment) Smooth(BlockWalk walk, BlockWeights weights, InputGroup group, QuantizationScheme scheme, SmoothingFactors? learned, Action<QuantizationStage, Modality?> report, CancellationToken cancellationToken)
    {
        report(QuantizationStage.Calibrate, null);
        var statistics = NewStatistics(weights.Description, group, NeedsGrams);
        var sample = new TokenSample(runner.Sequences.Count);
        walk.Inputs(group, (sequence, x) =>
        {
            statistics.Add(x, sequence.Modalities);
            sample.Add(x, sequence.Modalities);
        }, cancellationToken);
        statistics.Finish();

        report(QuantizationStage.Smooth, null);
        var ranges = ChannelRange.Of(weights, group);
        var factors = learned ?? _smoothing.Initial(weights, group, statistics, ranges);
        return (statistics,
            factors.Clipped(options.ClipsActivations(scheme) ? ActivationClipping.Best(sample, factors, scheme) : null),
            [.. SmoothingMisalignment.Measure(group, statistics, ranges, sample, scheme)]);
    }

    private static (QuantizedWeight Weight, ManifestLinear Facts) Packed(LinearWeight linear, GroupFit fit, int i)
    {
        var packed = fit.Codes[i].Pack(linear.Bias, fit.Patches[i].Factors);
        return (packed, LayerFacts.Of(linear.Linear, packed, fit.Patches[i].EffectiveRanks, fit.Sqnr(i)));
    }

    /// <summary>Q_w for an input group. Takes over what <paramref name="statistics"/> holds for it alone.</summary>
    public IWeightQuantizer NewQuantizer(ActivationStatistics statistics, SmoothingFactors factors)
        => options.WeightQuantizer == WeightQuantizerKind.Gptq
            ? GptqQuantizer.Create(statistics.SmoothedGram(factors, [.. options.ModalityWeights], NeedsGramLater), new GptqOptions
            {
                SearchClip = options.Clipping != ClippingKind.None,
                SearchOutput = options.Clipping == ClippingKind.Output,
                SecondLevel = options.GroupSize > 0,
                Compute = compute,
            })
            : new RtnQuantizer(searchClip: options.Clipping != ClippingKind.None, secondLevel: options.GroupSize > 0);

    private bool NeedsGrams => options.WeightQuantizer == WeightQuantizerKind.Gptq || options.Compensation != CompensationKind.None || options.Alternations > 0;

    // The regression of later rounds asks for all; otherwise patches alone do, and text has none.
    private bool NeedsGramLater(Modality modality)
        => options.Alternations > 0 || (modality != Modality.Text && options.Compensation != CompensationKind.None);

    private ActivationStatistics NewStatistics(BlockDescription block, InputGroup group, bool keepsGram)
        => new($"{block.Prefix.TrimEnd('.')} {group}", block.LinearsOf(group)[0].Inputs, keepsGram, compute);
}
