using System.Globalization;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Reports;

/// <summary>An evaluation as a page: figures, plots, changed answers, and what is known of each artifact.</summary>
public static class EvaluationPage
{
    /// <summary>The page.</summary>
    public static string Render(EvaluationJob job, IReadOnlyList<EvaluationResult> results, Func<int, ChartStyle> style)
    {
        string[] labels = [.. results.Select(result => EvaluationTables.Label(result.Model))];
        return ReportPage.Render($"{labels[0]}: evaluation", Subtitle(job, results), EvaluationVerdict.Of(labels, results),
            [Figures(job, results), .. EvaluationSections.Of(labels, results, style), .. Models(job)]);
    }

    /// <summary>What was evaluated, in a line.</summary>
    public static string Subtitle(EvaluationJob job, IReadOnlyList<EvaluationResult> results)
        => string.Create(CultureInfo.InvariantCulture, $"{results[0].Tasks.Sum(task => task.Samples)} samples of '{Path.GetFileName(job.Data)}', {results.Count - 1} quantized {(results.Count == 2 ? "model" : "models")} against full precision");

    /// <summary>The sections of each artifact's own report, folded.</summary>
    public static IEnumerable<ReportSection> Models(EvaluationJob job)
    {
        var models = job.Artifacts.Where(File.Exists).ToArray();
        for (var i = 0; i < models.Length; i++)
        {
            var model = ReportModel.Read(models[i]);
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model{i + 1}");
            yield return new ReportSection(prefix, EvaluationTables.Label(models[i]), html =>
            {
                using (html.Element("details"))
                {
                    html.Element("summary", "Sizes, SQNR by layer, misalignment, residuals, time");
                    foreach (var section in QuantizationReport.Sections(model, prefix + "-"))
                    {
                        html.Element("h3", section.Title, ("id", section.Id));
                        section.Write(html);
                    }
                }
            });
        }
    }

    private static ReportSection Figures(EvaluationJob job, IReadOnlyList<EvaluationResult> results) => new("figures", "Figures", html =>
    {
        EvaluationTables.Tasks(job, results).WriteHtml(html, "By task");
        html.Element("p", EvaluationTables.Note, ("class", "soft"));
        if (results.Count > 1)
        {
            EvaluationTables.Differences(job, results).WriteHtml(html, "Differences to full precision on the same samples");
            html.Element("p", "Brackets: 95 % intervals of the paired bootstrap. One that holds 0 tells no difference.", ("class", "soft"));
            EvaluationTables.Modalities(results).WriteHtml(html, "By the modality of the token");
        }
    });
}
