using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Budgets;

/// <summary>Holds a quantized model against its budgets.</summary>
public static class BudgetCheck
{
    /// <summary>What falls short, one exception each, none thrown: MASQ0950 SQNR, MASQ0951 bytes, MASQ0952 evaluation loss, MASQ0954 a budget that cannot be measured.</summary>
    /// <param name="budgets">The budgets.</param>
    /// <param name="manifest">The manifest beside the artifact.</param>
    /// <param name="loss">What <see cref="EvaluationLoss.Measure"/> gave; needed for <c>MaxEvaluationLoss</c> alone.</param>
    /// <param name="file">What messages name.</param>
    public static IReadOnlyList<MASQuantException> Run(ModelBudgets budgets, Manifest manifest, EvaluationLoss? loss, string? file)
    {
        var problems = new List<MASQuantException>();
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (budgets.MinSqnr(modality) is { } wanted)
            {
                problems.AddRange(Sqnr(manifest, modality, wanted, file));
            }
        }

        if (budgets.MaxBytes is { } bytes && manifest.ArtifactBytes > bytes)
        {
            problems.Add(new MASQuantException(DiagnosticCodes.BudgetOfBytesExceeded, file,
                $"{manifest.Name}: the artifact has {Bytes(manifest.ArtifactBytes)}, {Bytes(manifest.ArtifactBytes - bytes)} more than MaxBytes allows ({Bytes(bytes)}). {BudgetAdvice.ForBytes(manifest, manifest.ArtifactBytes - bytes)}"));
        }

        if (budgets.MaxEvaluationLoss is { } most && loss is not null && !(loss.KullbackLeibler <= most))
        {
            problems.Add(new MASQuantException(DiagnosticCodes.BudgetOfLossExceeded, file,
                $"{manifest.Name}: the evaluation loss is {Nats(loss.KullbackLeibler)} nats per token over {loss.Tokens} tokens, {Nats(loss.KullbackLeibler - most)} above MaxEvaluationLoss ({Nats(most)}). {BudgetAdvice.ForLoss(manifest)}"));
        }

        return problems;
    }

    private static IEnumerable<MASQuantException> Sqnr(Manifest manifest, Modality modality, double wanted, string? file)
    {
        if (ModelSqnr.Of(manifest, modality) is not { } weakest)
        {
            yield return new MASQuantException(DiagnosticCodes.BudgetNotMeasurable, file,
                $"{manifest.Name}: MinSqnr{modality} is given, but the model has no {modality.ToString().ToLowerInvariant()} (it takes {string.Join(", ", manifest.Model.Modalities)}). Remove the budget.");
            yield break;
        }

        if (!(weakest.Decibels >= wanted))
        {
            var (missing, all) = (ModelSqnr.Layers(manifest, modality).Count(layer => !(layer.Decibels >= wanted)), ModelSqnr.Layers(manifest, modality).Count());
            yield return new MASQuantException(DiagnosticCodes.BudgetOfSqnrMissed, file,
                $"{manifest.Name}: {modality} has {Decibels(weakest.Decibels)} dB in layer {weakest.Name}, {Decibels(wanted - weakest.Decibels)} dB less than MinSqnr{modality} demands ({Decibels(wanted)} dB); {missing} of {all} layers fall short. {BudgetAdvice.ForSqnr(manifest, modality, weakest)}");
        }
    }

    // Up, so that no shortfall reads 0.0.
    private static string Decibels(double value) => (Math.Ceiling(value * 100) / 100).ToString("0.0#", CultureInfo.InvariantCulture);

    private static string Nats(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:#,0} bytes");
}
