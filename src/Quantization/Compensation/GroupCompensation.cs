using MASQuant.Engine.Gemm;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Compensation;

/// <summary>The patches of one linear layer, indexed by <see cref="Modality"/>, the squared output errors that they leave, and the effective ranks and spectra of what they approximate.</summary>
internal sealed record LayerPatches(LowRankFactors?[] Factors, double[] Noise, SortedDictionary<string, ManifestEffectiveRank> EffectiveRanks, List<SpectrumFacts> Spectra);

/// <summary>Fits the patches of one input group: CMC (paper Eq. 22–28), or its regression on the true output error; and tells what they leave of that error.</summary>
/// <param name="options">The method.</param>
/// <param name="layer">The block.</param>
/// <param name="backend">Executes the quantized layers.</param>
/// <param name="walk">The calibration set, ahead of the group.</param>
/// <param name="statistics">The group's inputs.</param>
/// <param name="factors">The group's smoothing factors.</param>
/// <param name="compute">Sums, factors, solves and decomposes.</param>
internal sealed class GroupCompensation(QuantizationOptions options, int layer, IGemmBackend backend, BlockWalk walk, ActivationStatistics statistics, SmoothingFactors factors, ICompute compute)
{
    // Chosen by calibration rows alone; docs/accuracy.md has the figures of others.
    private const double PriorTokens = 100;

    private static readonly Modality[] Patched = [.. Enum.GetValues<Modality>().Where(m => m != Modality.Text)];
    private readonly Dictionary<Modality, CrossModalCompensation?> _compensations = [];
    private readonly double _priorTokens = options.Compensation == CompensationKind.Output ? PriorTokens : 0;

    // Later rounds need every whitening again. Without them each is let go of when it has served.
    private bool Alternates => options.Alternations > 0;

    /// <summary>Patches for each layer of the group; with their spectra, unless rounds follow.</summary>
    public GroupFit Fit(InputGroup group, IReadOnlyList<LinearWeight> linears, WeightCodes[] codes, Action<Modality> report, CancellationToken cancellationToken)
    {
        var compensates = Compensates(group);
        var residuals = Residuals(group, linears, codes, modality => Alternates || (compensates && modality != Modality.Text), cancellationToken);
        var patches = residuals.Select(layer => new LayerPatches(new LowRankFactors?[ModalityMap.ModalityCount], [.. layer.Select(residual => residual?.Energy ?? 0)], new(StringComparer.Ordinal), [])).ToArray();
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
                FitLayer(modality, compensation, linears[i], codes[i], residuals[i][(int)modality]!, patches[i]);
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

    /// <summary>What patches of any rank up to <paramref name="maxRank"/> would take from the noise of each layer of the group.</summary>
    public IReadOnlyList<PatchGain> Gains(InputGroup group, IReadOnlyList<LinearWeight> linears, WeightCodes[] codes, int maxRank, CancellationToken cancellationToken)
    {
        if (!Compensates(group))
        {
            return [];
        }

        var gains = new List<PatchGain>();
        var residuals = Residuals(group, linears, codes, modality => modality != Modality.Text, cancellationToken);
        foreach (var modality in Patched)
        {
            var compensation = Whitened(modality, statistics.Gram(modality)?.Copy(), priorTokens: 0);
            for (var i = 0; i < codes.Length && compensation is not null; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var residual = residuals[i][(int)modality]!;
                gains.Add(new PatchGain(linears[i].Linear.Name, modality, residual.Energy, compensation.Gains(residual, maxRank)));
            }
        }

        return gains;
    }

    private void FitLayer(Modality modality, CrossModalCompensation compensation, LinearWeight linear, WeightCodes codes, OutputResidual residual, LayerPatches patches)
    {
        var rank = options.RankFor(layer, linear.Linear, modality);
        var difference = CrossModalCompensation.Residual(linear.ReadMatrix(), factors[modality], codes);
        var patch = options.Compensation == CompensationKind.Weight
            ? compensation.Compensate(difference, rank)
            : compensation.Compensate(residual, difference, rank);
        if (patch.Factors is { } stored)
        {
            patches.Factors[(int)modality] = stored;
            patches.Noise[(int)modality] = Math.Max(0, residual.Energy + compensation.Change(residual, stored));
        }

        if (!Alternates && options.DescribesResiduals)
        {
            AddSpectra(modality, compensation, linear, difference, patches);
        }
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
            compensation = Whitened(modality, Alternates ? statistics.Gram(modality)?.Copy() : statistics.TakeGram(modality), _priorTokens);
            if (Alternates && statistics.Inputs <= GramMatrix.MaxWideInputs)
            {
                _compensations.Add(modality, compensation);
            }
        }

        return compensation;
    }

    private CrossModalCompensation? Whitened(Modality modality, GramMatrix? gram, double priorTokens)
        => CrossModalCompensation.Create(gram, new CompensationOptions { PriorTokens = priorTokens, Compute = compute }, factors[modality]);

    private OutputResidual?[][] Residuals(InputGroup group, IReadOnlyList<LinearWeight> linears, WeightCodes[] codes, Func<Modality, bool> keepsProduct, CancellationToken cancellationToken)
    {
        var errors = new OutputErrors(backend, factors, [.. codes.Select((c, i) => c.Pack(linears[i].Bias))], walk.Slots, modality => statistics.TokenCount(modality) > 0, keepsProduct, compute);
        walk.Outputs(group,
            (sequence, slot, x, targets) => errors.Compute(sequence.Modalities, slot, x, targets),
            (sequence, slot) => errors.Add(sequence.Modalities, slot), cancellationToken);
        errors.Finish();
        return errors.Residuals;
    }
}
