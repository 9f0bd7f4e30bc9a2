using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Quantization.Options;

namespace MASQuant.Evaluation.Tuning;

/// <summary>What a tuning ends with: the item to paste and the command that does the same, or what is missing.</summary>
public static class TuningAnswer
{
    /// <summary>The item.</summary>
    public static string Item(TuningJob job, QuantizationOptions options) => QuantizedItem.Of(job.Model, job.Calibration, QuantizedItem.Words(OptionTable.Write(options)).Concat(Budgets(job)));

    /// <summary>The command.</summary>
    public static string Command(TuningJob job, QuantizationOptions options)
        => QuantizedItem.Command(job.Model, job.Calibration, job.Subset is { } part ? FormattableString.Invariant($" --samples {part.Samples} --subset-seed {part.Seed}") : "", QuantizedItem.Words(OptionTable.Write(options)));

    // The build then holds every later artifact against them.
    private static IEnumerable<KeyValuePair<string, string>> Budgets(TuningJob job)
    {
        foreach (var word in BudgetTable.Write(job.Budgets.Wanted))
        {
            yield return word;
        }

        if (job.Budgets.Wanted.MaxEvaluationLoss is not null)
        {
            yield return KeyValuePair.Create(BudgetTable.EvaluationWord, job.Evaluation!);
        }
    }

    /// <summary>By how much, in which layer the nearest measured point misses the budgets, and what would help.</summary>
    public static string Shortfall(TuningJob job, TuningSearch search)
    {
        var model = search.Model;
        var nearest = search.Measured.OrderBy(point => model.Config.Modalities.Max(modality => job.Budgets.Shortfall(point, modality)))
            .ThenBy(job.Budgets.LossExcess).ThenBy(point => point.Measured!.ArtifactBytes).First();
        var misses = model.Config.Modalities.Where(modality => job.Budgets.Shortfall(nearest, modality) > 0).Select(modality =>
        {
            var (decibels, layer) = nearest.MeasuredSqnr(modality) ?? (double.NegativeInfinity, "any layer");
            return $"{modality} has {Figures.Fixed(decibels, 2)} dB in layer {layer}, {Figures.Fixed(Math.Ceiling(job.Budgets.Shortfall(nearest, modality) * 100) / 100, 2)} dB less than --min-sqnr-{modality.ToString().ToLowerInvariant()} asks";
        }).ToList();
        if (nearest.Measured!.ArtifactBytes > job.Budgets.MaxBytes)
        {
            misses.Add(FormattableString.Invariant($"the artifact has {nearest.Measured.ArtifactBytes} bytes, {nearest.Measured.ArtifactBytes - job.Budgets.MaxBytes} more than --max-bytes allows"));
        }

        if (job.Budgets.LossExcess(nearest) > 0)
        {
            misses.Add($"the evaluation loss is {Figures.Fixed(nearest.MeasuredLoss!.Value, 5)} nats per token, {Figures.Fixed(job.Budgets.LossExcess(nearest), 5)} more than --max-evaluation-loss allows");
        }

        return $"None of {search.Measured.Count} quantized settings keeps the budgets. The nearest, {TuningTable.Label(search, nearest)}: {string.Join("; ", misses)}. {Help(job, search)}";
    }

    private static string Help(TuningJob job, TuningSearch search)
    {
        var withoutBytes = new TuningBudgets(job.Budgets.Wanted with { MaxBytes = null });
        if (search.Path.FirstOrDefault(withoutBytes.ArePredictedToBeKept) is { } smallest && (job.Budgets.AsksForQuality || smallest.Bytes > job.Budgets.MaxBytes))
        {
            return smallest.Bytes > job.Budgets.MaxBytes
                ? FormattableString.Invariant($"What helps: --max-bytes of about {smallest.Bytes}, or smaller --schemes.")
                : FormattableString.Invariant($"What helps: more --points than {job.Points}.");
        }

        var schemes = search.Model.Schemes.Any(scheme => scheme.WeightBits == 8) ? "" : "W8A8 among --schemes, ";
        return $"What helps: {schemes}more --epochs, or more calibration samples of the modality that falls short.";
    }
}
