using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Scores;
using MASQuant.Platform;

namespace MASQuant.Evaluation.Comparison;

/// <summary>All figures of a comparison in one table: a row per figure and model, a column per task.</summary>
public static class ComparisonTable
{
    private const string Original = "full precision";

    private static readonly (string Name, bool OfReference, Func<TaskResult, string> Cell)[] Rows =
    [
        ("KL", false, task => EvaluationTables.Divergence(task.KullbackLeibler)),
        ("top-1 %", false, task => EvaluationTables.Share(task.Agreement)),
        ("perplexity", true, task => EvaluationTables.Perplexity(task.Perplexity)),
        ("word/digit error %", true, task => EvaluationTables.Score(task.WordErrorRate)),
        ("exact %", true, task => EvaluationTables.Score(task.ExactRate)),
    ];

    /// <summary>The table.</summary>
    /// <param name="originalBytes">The checkpoint's.</param>
    /// <param name="models">The quantized models.</param>
    /// <param name="results">The figures: the full-precision model's, then theirs.</param>
    public static TextTable Of(long originalBytes, IReadOnlyList<ComparedModel> models, IReadOnlyList<EvaluationResult> results)
    {
        string[] swept = [.. models is [var first, ..] ? first.Swept.Select(value => value.Option) : []];
        var table = new TextTable(3 + swept.Length, ["figure", "scheme", "method", .. swept, "bytes", .. results[0].Tasks.Select(task => task.Task)]);
        foreach (var (name, ofReference, cell) in Rows)
        {
            if (results[0].Tasks.All(task => string.IsNullOrWhiteSpace(cell(task).Replace("–", "", StringComparison.Ordinal))))
            {
                continue; // Not measured.
            }

            if (ofReference)
            {
                table.Add([name, "–", Original, .. swept.Select(_ => "–"), Figures.Bytes(originalBytes), .. results[0].Tasks.Select(cell)]);
            }

            foreach (var (model, result) in models.Zip(results.Skip(1)))
            {
                table.Add([name, model.Scheme, model.Method, .. model.Swept.Select(value => value.Value), Figures.Bytes(FileSystem.Current.Info(model.Artifact).Length), .. result.Tasks.Select(cell)]);
            }
        }

        return table;
    }
}
