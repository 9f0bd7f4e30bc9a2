using System.Globalization;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Reports;

/// <summary>An evaluation in words: what was found, against which bound, what to do next.</summary>
public static class EvaluationVerdict
{
    // More models are told of together.
    private const int Most = 4;

    /// <summary>The sentences, a paragraph each.</summary>
    /// <param name="labels">What the models are called, the reference first.</param>
    /// <param name="results">Their figures.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> labels, IReadOnlyList<EvaluationResult> results)
    {
        if (results.Count < 2)
        {
            return [];
        }

        var models = labels.Zip(results).Skip(1).Select(pair => (Label: pair.First, Outside: Scores(pair.Second).Where(score => !score.Figure.WithinReference).ToArray(), All: Scores(pair.Second).Count(), Worst: pair.Second.Tasks.MaxBy(task => task.KullbackLeibler.Value)!)).ToArray();
        var bound = "The bound is the 95 % interval of the full-precision model's own score.";
        var good = models.Where(model => model.Outside.Length == 0).ToArray();
        var next = good.Length == models.Length ? "Next: nothing is seen to be lost; more samples narrow the interval."
            : "Next: look at the answers that changed. A larger Rank, 8 bits for the weakest blocks (LayerSchemes) or 'masquant tune' bring a model nearer.";
        return models.Length <= Most
            ? [.. models.Select(model => Sentence(model.Label, model.Outside, model.All, model.Worst)), bound, next]
            : [string.Create(CultureInfo.InvariantCulture, $"{good.Length} of {models.Length} models have every score within the bound; the nearest to full precision is {models.MinBy(model => model.Worst.KullbackLeibler.Value).Label}."), bound, next];
    }

    private static string Sentence(string label, (string Name, Figure Figure)[] outside, int all, TaskResult worst)
    {
        var divergence = $"the largest divergence is {Figures.Fixed(worst.KullbackLeibler.Value, 5)} nats per token{(worst.Task.Length > 0 ? $" (task {worst.Task})" : "")}";
        return outside.Length == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{label}: all {all} scores lie within the bound; {divergence}.")
            : string.Create(CultureInfo.InvariantCulture, $"{label}: {outside.Length} of {all} scores lie outside the bound, {string.Join(", ", outside.Select(score => score.Name).Distinct())}; {divergence}.");
    }

    private static IEnumerable<(string Name, Figure Figure)> Scores(EvaluationResult result) => result.Tasks
        .SelectMany(task => ((string, Figure)[])[("perplexity", task.Perplexity), ("word/digit error", task.WordErrorRate), ("exact", task.ExactRate)])
        .Where(score => !double.IsNaN(score.Item2.Value));
}
