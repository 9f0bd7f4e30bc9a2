using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Blocks;

/// <summary>Quantizes one decoder block: statistics, smoothing, then for each input group in the order of execution weights and compensation, each group seeing what the groups before it have become.</summary>
/// <param name="config">The decoder's extents.</param>
/// <param name="options">The method.</param>
/// <param name="backend">Executes what is quantized, so that the measured thing is the executed thing.</param>
/// <param name="runner">The calibration set.</param>
internal sealed class BlockQuantizer(TextConfig config, QuantizationOptions options, IGemmBackend backend, BlockRunner runner)
{
    /// <summary>Quantizes a block and advances the calibration set past it.</summary>
    /// <param name="exact">The block in full precision.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="report">Receives stage and share of it done.</param>
    /// <param name="cancellationToken">Obeyed within every stage.</param>
    public QuantizedBlock Quantize(DecoderBlock exact, BlockWeights weights, Action<QuantizationStage, Modality?, double> report, CancellationToken cancellationToken)
    {
        report(QuantizationStage.Calibrate, null, 0);
        var targets = runner.Outputs(exact, sequence => sequence.Exact, cancellationToken);
        var ranges = Ranges(exact, weights.Layer, cancellationToken);

        report(QuantizationStage.Smooth, null, 0);
        var factors = new ModalityAwareSmoothing(config, options)
            .Choose(weights, ranges, runner, targets, done => report(QuantizationStage.Smooth, null, done), cancellationToken);

        var block = exact;
        var groups = new List<QuantizedGroup>();
        foreach (var group in Enum.GetValues<InputGroup>())
        {
            var quantized = QuantizeGroup(block, exact, weights, group, ranges[(int)group], factors[(int)group], (stage, modality) => report(stage, modality, groups.Count / (double)factors.Length), cancellationToken);
            groups.Add(quantized);
            block = block.With(group, Executable([.. quantized.Linears.Select(linear => linear.Weight)], factors[(int)group].Inverses));
        }

        Advance(block, targets, cancellationToken);
        return QuantizedBlock.Of(weights.Layer, groups);
    }

    /// <summary>The factors that the block begins with, in the order of <see cref="InputGroup"/>; final where nothing is learned.</summary>
    public SmoothingFactors[] InitialFactors(DecoderBlock exact, BlockWeights weights, CancellationToken cancellationToken)
        => new ModalityAwareSmoothing(config, options with { Epochs = 0 }).Choose(weights, Ranges(exact, weights.Layer, cancellationToken), runner, [], _ => { }, cancellationToken);

    /// <summary>What enters an input group.</summary>
    public ActivationStatistics Observe(DecoderBlock block, int layer, InputGroup group, CancellationToken cancellationToken)
    {
        var statistics = NewStatistics(layer, group, NeedsGrams);
        runner.Observe(block, exact: null, group, (sequence, x, _) => statistics.Add(x, sequence.Modalities), cancellationToken);
        return statistics;
    }

    /// <summary>Takes the calibration set past a block that was quantized earlier.</summary>
    public void Skip(DecoderBlock exact, QuantizedLayer layer, CancellationToken cancellationToken)
    {
        var block = exact;
        foreach (var group in Enum.GetValues<InputGroup>())
        {
            var weights = DecoderLinear.Of(config).Where(linear => linear.Group == group).Select(linear => layer.Linears[linear.Name]).ToArray();
            block = block.With(group, Executable(weights, layer.InverseSmoothing[group]));
        }

        Advance(block, runner.Outputs(exact, sequence => sequence.Exact, cancellationToken), cancellationToken);
    }

    private void Advance(DecoderBlock block, IReadOnlyList<Matrix> targets, CancellationToken cancellationToken)
    {
        var outputs = runner.Outputs(block, sequence => sequence.Quantized, cancellationToken);
        for (var i = 0; i < outputs.Length; i++)
        {
            runner.Sequences[i].Exact = targets[i];
            runner.Sequences[i].Quantized = outputs[i];
        }
    }

    private QuantizedLinearGroup Executable(IReadOnlyList<QuantizedWeight> weights, IReadOnlyList<float[]> inverseSmoothing)
        => new(weights, inverseSmoothing, backend);

    private ActivationStatistics[] Ranges(DecoderBlock exact, int layer, CancellationToken cancellationToken)
    {
        var ranges = Enum.GetValues<InputGroup>().Select(group => NewStatistics(layer, group, keepsGram: false)).ToArray();
        runner.ObserveInputs(exact, (sequence, group, x) => ranges[(int)group].Add(x, sequence.Modalities), cancellationToken);
        return ranges;
    }

    private QuantizedGroup QuantizeGroup(DecoderBlock block, DecoderBlock exact, BlockWeights weights, InputGroup group, ActivationStatistics ranges, SmoothingFactors factors, Action<QuantizationStage, Modality?> report, CancellationToken cancellationToken)
    {
        report(QuantizationStage.Quantize, null);
        var linears = weights.Group(group);
        var statistics = NewStatistics(weights.Layer, group, NeedsGrams);
        var scheme = options.SchemeFor(weights.Layer, group);
        var misalignment = new SmoothingMisalignment(group, ranges, linears.Select(linear => linear.ReadMatrix()), scheme);
        runner.Observe(block, exact: null, group, (sequence, x, _) =>
        {
            statistics.Add(x, sequence.Modalities);
            misalignment.Add(x, sequence.Modalities);
        }, cancellationToken);
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

        var packed = linears.Select((linear, i) => fit.Codes[i].Pack(linear.Bias, fit.Patches[i].Factors, linear.RotationBlock)).ToArray();
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

    private ActivationStatistics NewStatistics(int layer, InputGroup group, bool keepsGram)
        => new($"model.layers.{layer} {group}", DecoderLinear.Of(config).First(linear => linear.Group == group).Inputs, keepsGram);
}
