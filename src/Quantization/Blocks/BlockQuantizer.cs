using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
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
internal sealed class BlockQuantizer(QuantizationOptions options, IGemmBackend backend, BlockRunner runner)
{
    /// <summary>Quantizes a block and advances the calibration set past it.</summary>
    /// <param name="exact">The block in full precision.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="report">Receives stage and share of it done.</param>
    /// <param name="cancellationToken">Obeyed within every stage.</param>
    public QuantizedBlock Quantize(TransformerBlock exact, BlockWeights weights, Action<QuantizationStage, Modality?, double> report, CancellationToken cancellationToken)
    {
        report(QuantizationStage.Calibrate, null, 0);
        var targets = runner.Outputs(exact, sequence => sequence.Exact, cancellationToken);
        var ranges = Ranges(exact, cancellationToken);

        report(QuantizationStage.Smooth, null, 0);
        var factors = new ModalityAwareSmoothing(options)
            .Choose(weights, ranges, runner, targets, done => report(QuantizationStage.Smooth, null, done), cancellationToken);

        var block = exact;
        var groups = new List<QuantizedGroup>();
        foreach (var (place, group) in exact.Description.Groups.Index())
        {
            var quantized = QuantizeGroup(block, exact, weights, group, ranges[place], factors[place], (stage, modality) => report(stage, modality, groups.Count / (double)factors.Length), cancellationToken);
            groups.Add(quantized);
            block = block.With(group, Executable([.. quantized.Linears.Select(linear => linear.Weight)], quantized.Factors.Input));
        }

        Advance(block, targets, cancellationToken);
        return QuantizedBlock.Of(weights.Layer, groups);
    }

    /// <summary>The factors that the block begins with, in the order of its groups; final where nothing is learned.</summary>
    public SmoothingFactors[] InitialFactors(TransformerBlock exact, BlockWeights weights, CancellationToken cancellationToken)
        => new ModalityAwareSmoothing(options with { Epochs = 0 }).Choose(weights, Ranges(exact, cancellationToken), runner, [], _ => { }, cancellationToken);

    /// <summary>What enters an input group.</summary>
    public ActivationStatistics Observe(TransformerBlock block, InputGroup group, CancellationToken cancellationToken)
    {
        var statistics = NewStatistics(block.Description, group, NeedsGrams);
        runner.Observe(block, exact: null, group, (sequence, x, _) => statistics.Add(x, sequence.Modalities), cancellationToken);
        return statistics;
    }

    /// <summary>Takes the calibration set past a block that was quantized earlier.</summary>
    public void Skip(TransformerBlock exact, QuantizedLayer layer, CancellationToken cancellationToken)
    {
        var block = exact;
        foreach (var group in exact.Description.Groups)
        {
            var weights = exact.Description.LinearsOf(group).Select(linear => layer.Linears[linear.Name]).ToArray();
            block = block.With(group, Executable(weights, layer.Inputs[group]));
        }

        Advance(block, runner.Outputs(exact, sequence => sequence.Exact, cancellationToken), cancellationToken);
    }

    private void Advance(TransformerBlock block, IReadOnlyList<Matrix> targets, CancellationToken cancellationToken)
    {
        var outputs = runner.Outputs(block, sequence => sequence.Quantized, cancellationToken);
        for (var i = 0; i < outputs.Length; i++)
        {
            runner.Sequences[i].Exact = targets[i];
            runner.Sequences[i].Quantized = outputs[i];
        }
    }

    private QuantizedLinearGroup Executable(IReadOnlyList<QuantizedWeight> weights, InputTransform input)
        => new(weights, input, backend);

    private ActivationStatistics[] Ranges(TransformerBlock exact, CancellationToken cancellationToken)
    {
        var ranges = exact.Description.Groups.ToDictionary(group => group, group => NewStatistics(exact.Description, group, keepsGram: false));
        runner.ObserveInputs(exact, (sequence, group, x) => ranges[group].Add(x, sequence.Modalities), cancellationToken);
        return [.. exact.Description.Groups.Select(group => ranges[group])];
    }

    private QuantizedGroup QuantizeGroup(TransformerBlock block, TransformerBlock exact, BlockWeights weights, InputGroup group, ActivationStatistics ranges, SmoothingFactors factors, Action<QuantizationStage, Modality?> report, CancellationToken cancellationToken)
    {
        report(QuantizationStage.Quantize, null);
        var linears = weights.Group(group);
        var statistics = NewStatistics(exact.Description, group, NeedsGrams);
        var scheme = options.SchemeFor(weights.Layer, group);
        var clipping = options.ClipsActivations(scheme) ? new ActivationClipping(factors, scheme) : null;
        var misalignment = new SmoothingMisalignment(group, ranges, linears.Select(linear => linear.ReadMatrix()), scheme);
        runner.Observe(block, exact: null, group, (sequence, x, _) =>
        {
            statistics.Add(x, sequence.Modalities);
            misalignment.Add(x, sequence.Modalities);
            clipping?.Add(x, sequence.Modalities);
        }, cancellationToken);
        factors = factors.Clipped(clipping?.Best);
        var quantizer = NewQuantizer(statistics, factors);
        var compensation = new GroupCompensation(options, weights.Layer, backend, runner, statistics, factors);
        GroupFit Fit(IEnumerable<Matrix> targets)
        {
            WeightCodes[] codes = [.. targets.Select(target => quantizer.Quantize(target, scheme, cancellationToken))];
            if (options.Alternations == 0)
            {
                quantizer.Release();
            }

            return compensation.Fit(block, exact, group, linears, codes, modality => report(QuantizationStage.Compensate, modality), cancellationToken);
        }

        var fit = new Alternation(options, statistics, factors).Run(linears.Select(linear => factors.Base.ScaleWeight(linear.ReadMatrix())), Fit);
        compensation.AddSpectra(group, linears, fit, cancellationToken);

        var packed = linears.Select((linear, i) => fit.Codes[i].Pack(linear.Bias, fit.Patches[i].Factors)).ToArray();
        var sqnr = compensation.Measure(block, exact, group, packed, cancellationToken);
        return new QuantizedGroup(group, factors, [.. linears.Select((linear, i) =>
            (packed[i], LayerFacts.Of(linear.Linear, packed[i], fit.Patches[i].EffectiveRanks, sqnr[i])))])
        {
            Misalignment = [.. misalignment.Facts()],
            Spectra = [.. fit.Patches.SelectMany(patch => patch.Spectra)],
        };
    }

    /// <summary>Q_w for an input group. Takes over what <paramref name="statistics"/> holds for it alone.</summary>
    public IWeightQuantizer NewQuantizer(ActivationStatistics statistics, SmoothingFactors factors)
        => options.WeightQuantizer == WeightQuantizerKind.Gptq
            ? GptqQuantizer.Create(statistics.SmoothedGram(factors, [.. options.ModalityWeights], NeedsGramLater), new GptqOptions
            {
                SearchClip = options.Clipping != ClippingKind.None,
                SearchOutput = options.Clipping == ClippingKind.Output,
                SecondLevel = options.GroupSize > 0,
            })
            : new RtnQuantizer(searchClip: options.Clipping != ClippingKind.None, secondLevel: options.GroupSize > 0);

    private bool NeedsGrams => options.WeightQuantizer == WeightQuantizerKind.Gptq || options.Compensation != CompensationKind.None || options.Alternations > 0;

    // The regression of later rounds asks for all; otherwise patches alone do, and text has none.
    private bool NeedsGramLater(Modality modality)
        => options.Alternations > 0 || (modality != Modality.Text && options.Compensation != CompensationKind.None);

    private static ActivationStatistics NewStatistics(BlockDescription block, InputGroup group, bool keepsGram)
        => new($"{block.Prefix.TrimEnd('.')} {group}", block.LinearsOf(group)[0].Inputs, keepsGram);
}
