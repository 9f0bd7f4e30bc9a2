using MASQuant.Evaluation.Budgets;

namespace MASQuant.Evaluation.Reports;

/// <summary>A quantized model in words: what was found, against which bound, what to do next.</summary>
internal static class QuantizationVerdict
{
    /// <summary>The sentences, a paragraph each.</summary>
    /// <param name="model">The model.</param>
    /// <param name="budgets">What was demanded of it; the evaluation loss, which is measured later, is left out.</param>
    public static IReadOnlyList<string> Of(ReportModel model, ModelBudgets budgets)
    {
        var manifest = model.Manifest;
        var weakest = Enum.GetValues<Modality>().Select(modality => (Modality: modality, Sqnr: ModelSqnr.Of(manifest, modality))).Where(found => found.Sqnr is { Decibels: < SqnrSection.Exact }).ToArray();
        if (weakest.Length == 0)
        {
            return [];
        }

        var smaller = model.Facts is { SourceBytes: var source } && manifest.ArtifactBytes > 0 ? $"{Figures.Fixed((double)source / manifest.ArtifactBytes, 2)}× smaller than the checkpoint. " : "";
        var found = $"{smaller}The weakest layer keeps {string.Join("; ", weakest.Select(found => $"{Decibels(found.Sqnr!)} at tokens of {found.Modality.ToString().ToLowerInvariant()} ({found.Sqnr!.Name})"))}.";
        var wanted = BudgetTable.Write(budgets with { MaxEvaluationLoss = null });
        if (wanted.Count == 0)
        {
            var own = string.Join(' ', weakest.Where(layer => double.IsFinite(layer.Sqnr!.Decibels)).Select(layer => $"MinSqnr{layer.Modality}=\"{Figures.Fixed(Math.Floor(layer.Sqnr!.Decibels), 0)}\""));
            return [found, "No budget was given, so no bound says whether that is enough.", $"Next: 'masquant evaluate' tells what it does to answers; {own} in the item makes builds fail that fall below."];
        }

        var bounds = string.Join(", ", wanted.Select(word => $"{word.Key} {word.Value}"));
        var missed = BudgetCheck.Run(budgets, manifest, null, null);
        return missed.Count == 0
            ? [found, $"The budgets are kept: {bounds}.", "Next: 'masquant evaluate' tells what it does to answers."]
            : [found, $"{missed.Count} of {wanted.Count} budgets ({bounds}) are missed.", .. missed.Select(problem => problem.Description)];
    }

    // The noise's share of the amplitude: 10^(−dB/20).
    private static string Decibels(ModelSqnr layer) => $"{Figures.Fixed(layer.Decibels, 1)} dB, noise of {Figures.Percent(Math.Pow(10, -layer.Decibels / 20), 1)} %,";
}
