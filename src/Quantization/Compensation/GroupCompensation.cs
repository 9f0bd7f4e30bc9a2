using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Compensation;

/// <summary>The patches of one linear layer, indexed by <see cref="Modality"/>, with the effective ranks and spectra of what they approximate.</summary>
internal sealed record LayerPatches(LowRankFactors?[] Factors, SortedDictionary<string, ManifestEffectiveRank> EffectiveRanks, List<SpectrumFacts> Spectra);

/// <summary>Fits and measures the patches of one input group: CMC (paper Eq. 22–28), or its regression on the true output error.</summary>
/// <param name="options">The method.</param>
/// <param name="layer">The block.</param>
/// <param name="backend">Executes the quantized layers.</param>
/// <param name="runner">The calibration set.</param>
/// <param name="statistics">The group's inputs.</param>
/// <param name="factors">The group's smoothing factors.</param>
internal sealed class GroupCompensation(QuantizationOptions options, int layer, IGemmBackend backend, BlockRunner runner, ActivationStatistics statistics, SmoothingFactors factors)
{
    // Chosen by calibration rows alone; docs/accuracy.md has the figures of others.
    private const double PriorTokens = 100;

    private static readonly Modality[] Patched = [.. Enum.GetValues<Modality>().Where(m => m != Modality.Text)];
    private readonly Dictionary<Modality, CrossModalCompensation?> _compensations = [];
    private readonly double _priorTokens = options.Compensation == CompensationKind.Output ? PriorTokens : 0;

    // Later rounds need every residual, Gram matrix and whitening again. Without them each is let go of when it has served.
    private bool Alternates => options.Alternations > 0;

    /// <summary>Patches for each layer of the group; with their spectra, unless rounds follow.</summary>
    public GroupFit Fit(TransformerBlock block, TransformerBlock exact, InputGroup group, IReadOnlyList<LinearWeight> linears, WeightCodes[] codes, Action<Modality> report, CancellationToken cancellationToken)
    {
        var patches = codes.Select(_ => new LayerPatches(new LowRankFactors?[ModalityMap.ModalityCount], new(StringComparer.Ordinal), [])).ToArray();
        var compensates = Compensates(group);
        var residuals = Alternates || (compensates && options.Compensation == CompensationKind.Output)
            ? OutputResiduals(block, exact, group, linears, codes, cancellationToken)
            : [.. codes.Select(_ => new OutputResidual?[ModalityMap.ModalityCount])];
        foreach (var modality in compensates ? Patched : [])
        {
            if (statistics.TokenCount(modality) > 0)
            {
                report(modality);
            }

            var compensation = Compensation(modality);
            for (var i = 0; i < codes.Length && compensation is not null; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var rank = options.RankFor(layer, linears[i].Linear, modality);
                var residual = CrossModalCompensation.Residual(linears[i].ReadMatrix(), factors[modality], codes[i]);
                patches[i].Factors[(int)modality] = (options.Compensation == CompensationKind.Weight
                    ? compensation.Compensate(residual, rank)
                    : compensation.Compensate(residuals[i][(int)modality]!, residual, rank, keeps: Alternates)).Factors;
                if (!Alternates && options.DescribesResiduals)
                {
                    AddSpectra(modality, compensation, linears[i], residual, patches[i]);
                }
            }
        }

        return new GroupFit(codes, patches, residuals);
    }

    /// <summary>Adds the spectra of the weight residuals and their effective ranks to what the last round left.</summary>
    public void AddSpectra(InputGroup group, IReadOnlyList<LinearWeight> linears, GroupFit fit, CancellationToken cancellationToken)
    {
        foreach (var modality in Alternates && options.DescribesResiduals && Compensates(group) ? Patched : [])
        {
            var compensation = Compensation(modality);
            for (var i = 0; i < linears.Count && compensation is not null; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                AddSpectra(modality, compensation, linears[i], CrossModalCompensation.Residual(linears[i].ReadMatrix(), factors[modality], fit.Codes[i]), fit.Patches[i]);
            }
        }
    }

    /// <summary>The SQNR of each layer's output before and after compensation, by modality name; the signal is the full-precision model's output.</summary>
    public SortedDictionary<string, ManifestSqnr>[] Measure(TransformerBlock block, TransformerBlock exact, InputGroup group, QuantizedWeight[] packed, CancellationToken cancellationToken)
    {
        var errors = packed.Select(weight => new LinearErrors(backend, weight)).ToArray();
        var tokens = new PreparedTokens();
        runner.Observe(block, exact, group, (sequence, x, targets) =>
        {
            backend.Prepare(x, sequence.Modalities, factors.Input, packed[0].Scheme, tokens);
            for (var i = 0; i < errors.Length; i++)
            {
                errors[i].Add(tokens, targets[i]);
            }
        }, cancellationToken);
        return [.. errors.Select(error => new SortedDictionary<string, ManifestSqnr>(
            Enum.GetValues<Modality>().Where(m => error.Sqnr(m) is not null).ToDictionary(m => m.ToString(), m => error.Sqnr(m)!), StringComparer.Ordinal))];
    }

    /// <summary>What patches of any rank up to <paramref name="maxRank"/> would take from the noise of each layer of the group.</summary>
    public IReadOnlyList<PatchGain> Gains(TransformerBlock exact, InputGroup group, IReadOnlyList<LinearWeight> linears, WeightCodes[] codes, int maxRank, CancellationToken cancellationToken)
    {
        if (!Compensates(group))
        {
            return [];
        }

        var gains = new List<PatchGain>();
        var residuals = OutputResiduals(exact, exact, group, linears, codes, cancellationToken);
        foreach (var modality in Patched)
        {
            var compensation = Whitened(modality, priorTokens: 0);
            for (var i = 0; i < codes.Length && compensation is not null; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var residual = residuals[i][(int)modality]!;
                gains.Add(new PatchGain(linears[i].Linear.Name, modality, residual.Energy, compensation.Gains(residual, maxRank)));
            }
        }

        return gains;
    }

    private static void AddSpectra(Modality modality, CrossModalCompensation compensation, LinearWeight linear, Matrix residual, LayerPatches patches)
    {
        var (plain, whitened) = compensation.Spectra(residual);
        patches.EffectiveRanks[modality.ToString()] = new ManifestEffectiveRank(plain.EffectiveRank, whitened.EffectiveRank);
        patches.Spectra.Add(new SpectrumFacts
        {
            Linear = linear.Linear.Name,
            Modality = modality.ToString(),
            Count = plain.Count,
            Plain = SpectrumSampling.Sample(plain),
            Whitened = SpectrumSampling.Sample(whitened),
        });
    }

    private bool Compensates(InputGroup group) => options.Compensation != CompensationKind.None && (group != InputGroup.Down || options.CompensateDown);

    // Kept for the rounds that follow, unless it is one of the few that fill a gigabyte.
    private CrossModalCompensation? Compensation(Modality modality)
    {
        if (!_compensations.TryGetValue(modality, out var compensation))
        {
            compensation = Whitened(modality, _priorTokens);
            if (Alternates && statistics.Inputs <= GramMatrix.MaxWideInputs)
            {
                _compensations.Add(modality, compensation);
            }
        }

        return compensation;
    }

    private CrossModalCompensation? Whitened(Modality modality, double priorTokens)
        => CrossModalCompensation.Create(statistics.Gram(modality), new CompensationOptions { PriorTokens = priorTokens }, factors[modality]);

    private OutputResidual?[][] OutputResiduals(TransformerBlock block, TransformerBlock exact, InputGroup group, IReadOnlyList<LinearWeight> linears, WeightCodes[] codes, CancellationToken cancellationToken)
    {
        var observed = Alternates ? Enum.GetValues<Modality>() : Patched;
        var unpatched = codes.Select((c, i) => c.Pack(linears[i].Bias)).ToArray();
        var residuals = codes.Select(c => Enum.GetValues<Modality>()
            .Select(m => !observed.Contains(m) || statistics.TokenCount(m) == 0 ? null : OutputResidual.Create(c.Inputs, c.Outputs)).ToArray()).ToArray();
        var tokens = new PreparedTokens();
        runner.Observe(block, exact, group, (sequence, x, targets) =>
        {
            if (!observed.Any(m => sequence.Modalities.CountOf(m) > 0))
            {
                return;
            }

            backend.Prepare(x, sequence.Modalities, factors.Input, codes[0].Scheme, tokens);
            for (var i = 0; i < unpatched.Length; i++)
            {
                var output = new Matrix(x.Rows, unpatched[i].Outputs);
                backend.Multiply(tokens, unpatched[i], output);
                foreach (var modality in observed)
                {
                    if (sequence.Modalities.CountOf(modality) > 0)
                    {
                        residuals[i][(int)modality]!.Add(
                            ModalityRows.Select(tokens.Smoothed, sequence.Modalities, modality),
                            ModalityRows.Select(targets[i], sequence.Modalities, modality),
                            ModalityRows.Select(output, sequence.Modalities, modality));
                    }
                }
            }
        }, cancellationToken);
        return residuals;
    }
}
