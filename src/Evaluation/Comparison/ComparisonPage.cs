using System.Globalization;
using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Comparison;

/// <summary>A comparison as a page: the table, plots over methods, schemes and swept options, changed answers.</summary>
public static class ComparisonPage
{
    /// <summary>The page.</summary>
    public static string Render(EvaluationJob job, IReadOnlyList<ComparedModel> models, IReadOnlyList<EvaluationResult> results, TextTable table)
    {
        string[] labels = ["full precision", .. models.Select(model => model.Label)];
        string[] methods = [.. models.Select(model => model.Method).Distinct()];
        ChartStyle Style(int model) => ChartStyle.Of(Array.IndexOf(methods, models[model].Method));
        return ReportPage.Render($"{EvaluationTables.Label(job.Model)}: comparison", EvaluationPage.Subtitle(job, results), EvaluationVerdict.Of(labels, results),
        [
            new ReportSection("figures", "Figures", html =>
            {
                table.WriteHtml(html, "By figure, scheme and method");
                html.Element("p", EvaluationTables.Note, ("class", "soft"));
            }),
            .. Sweep(models, results),
            .. EvaluationSections.Of(labels, results, Style),
            .. EvaluationPage.Models(job),
        ]);
    }

    // A line per method and scheme over the values of the one option that is swept over numbers.
    private static IEnumerable<ReportSection> Sweep(IReadOnlyList<ComparedModel> models, IReadOnlyList<EvaluationResult> results)
    {
        var options = models[0].Swept.Select(value => value.Option).Where(option => models.Select(model => Value(model, option)).Distinct().Count() > 1).ToArray();
        if (options is not [var swept] || models.Any(model => double.IsNaN(Value(model, swept))))
        {
            yield break;
        }

        yield return new ReportSection("sweep", $"Over {swept}", html =>
        {
            html.Element("p", "KL by task, with 95 % intervals. Lower is better.");
            using (html.Element("div", ("class", "charts")))
            {
                for (var t = 0; t < results[0].Tasks.Count; t++)
                {
                    var task = t;
                    var series = models.Zip(results.Skip(1)).GroupBy(pair => $"{pair.First.Method} {pair.First.Scheme}").Select((line, i) => new ChartSeries(line.Key, ChartStyle.Of(i),
                        [.. line.OrderBy(pair => Value(pair.First, swept)).Select(pair => Point(Value(pair.First, swept), pair.Second.Tasks[task].KullbackLeibler.Own))]));
                    var name = results[0].Tasks[t].Task is { Length: > 0 } given ? given : "all";
                    ChartWriter.Write(html, new Chart($"Task: {name}", $"KL on task {name} over {swept}.", new ChartAxis(swept), new ChartAxis("KL, nats per token") { Logarithmic = true }, [.. series]));
                }
            }
        });
    }

    private static ChartPoint Point(double x, Estimate estimate) => new(x, estimate.Value) { Interval = (estimate.Low, estimate.High) };

    private static double Value(ComparedModel model, string option)
        => double.TryParse(model.Swept.Single(value => value.Option == option).Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.NaN;
}
