using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Reports.Charts;

namespace MASQuant.Evaluation.Tuning;

/// <summary>A tuning as a page: bytes against SQNR as predicted and as measured, the table, what each block got, what to paste.</summary>
public static class TuningPage
{
    /// <summary>The page.</summary>
    public static string Render(TuningJob job, TuningSearch search)
        => ReportPage.Render($"{job.Name}: tuning", $"{job.Model}, calibrated on {job.Calibration}. {TuningTable.Note}", Verdict(job, search),
        [
            new ReportSection("front", "Bytes and SQNR", html =>
            {
                using (html.Element("div", ("class", "charts")))
                {
                    foreach (var modality in search.Model.Config.Modalities)
                    {
                        ChartWriter.Write(html, Front(search, modality));
                    }
                }
            }),
            new ReportSection("points", "Settings", html => TuningTable.Of(job, search).WriteHtml(html, "The smallest first")),
            .. Choice(job, search),
        ]);

    private static string[] Verdict(TuningJob job, TuningSearch search)
    {
        if (search.Chosen is not { Measured: { } measured } chosen)
        {
            return [TuningAnswer.Shortfall(job, search)];
        }

        var sqnr = string.Join(", ", search.Model.Config.Modalities.Where(modality => chosen.MeasuredSqnr(modality) is not null).Select(modality => $"{modality.ToString().ToLowerInvariant()} {Figures.Fixed(chosen.MeasuredSqnr(modality)!.Value.Decibels, 1)} dB"));
        return
        [
            $"{TuningTable.Label(search, chosen).TrimEnd('*', ' ')} is chosen of {search.Measured.Count} settings that were quantized: {Figures.Bytes(measured.ArtifactBytes)}; the weakest layer keeps {sqnr}.",
            $"It keeps the budgets: {string.Join(", ", BudgetTable.Write(job.Budgets.Wanted).Select(word => $"{word.Key} {word.Value}"))}.",
            "Next: paste the item below; builds then hold every later artifact against these budgets.",
        ];
    }

    private static Chart Front(TuningSearch search, Modality modality)
    {
        var name = modality.ToString();
        var predicted = search.Path.Select(point => new ChartPoint(point.Bytes / 1e6, point.Sqnr[(int)modality])).ToArray();
        var measured = search.Measured.Where(point => point.MeasuredSqnr(modality) is not null).OrderBy(point => point.Measured!.ArtifactBytes)
            .Select(point => new ChartPoint(point.Measured!.ArtifactBytes / 1e6, point.MeasuredSqnr(modality)!.Value.Decibels) { Label = TuningTable.Label(search, point) }).ToArray();
        return new Chart($"{name}: lowest SQNR of any layer", $"Predicted by the last walk from {predicted[0].Y:F1} to {predicted[^1].Y:F1} dB; {measured.Length} settings measured.", new ChartAxis("Artifact, MB"), new ChartAxis("dB"),
        [
            new ChartSeries("", ChartStyle.Neutral, predicted) { Line = ChartLine.Steps, Marked = false },
            new ChartSeries("", ChartStyle.Of(name), measured) { Line = ChartLine.None },
        ]);
    }

    private static IEnumerable<ReportSection> Choice(TuningJob job, TuningSearch search)
    {
        if (search.Chosen is not { } chosen)
        {
            yield return new ReportSection("missed", "No setting keeps the budgets", html => html.Element("p", TuningAnswer.Shortfall(job, search)));
            yield break;
        }

        var options = job.OptionsOf(chosen, search.Model.Config.Modalities);
        yield return new ReportSection("choice", $"The choice, {TuningTable.Label(search, chosen)}", html =>
        {
            html.Element("pre", TuningAnswer.Item(job, options), ("class", "scroll"));
            html.Element("pre", TuningAnswer.Command(job, options), ("class", "scroll"));
            var table = new TextTable(5, "block", "Qkv", "O", "GateUp", "Down");
            foreach (var (layer, groups) in chosen.Setting.All.Chunk(4).Index())
            {
                table.Add([FormattableString.Invariant($"{layer}"), .. groups.Select(group => Words(group, search.Model.Config.Modalities))]);
            }

            table.WriteHtml(html, "Scheme and ranks of every input group");
        });
    }

    private static string Words(GroupSetting group, IReadOnlyList<Modality> modalities)
        => string.Join(", ", [$"{group.Scheme}", .. modalities.Where(modality => group.Rank(modality) > 0).Select(modality => FormattableString.Invariant($"{modality.ToString().ToLowerInvariant()} {group.Rank(modality)}"))]);
}
