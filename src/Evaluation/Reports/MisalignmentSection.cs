using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Quantization.Facts;

namespace MASQuant.Evaluation.Reports;

/// <summary>How far the modalities' ranges lie apart, and what one smoothing factor for all of them would cost: Theorem 1 against measurement.</summary>
internal static class MisalignmentSection
{
    /// <summary>Writes the section.</summary>
    public static void Write(MarkupWriter html, RunFacts facts)
    {
        (int Block, MisalignmentFacts Facts)[] all = [.. facts.Blocks.SelectMany(block => block.Misalignment.Select(entry => (block.Index, entry)))];
        string[] modalities = [.. all.Select(entry => entry.Facts.Modality).Distinct()];
        html.Element("p", "A smoothing factor shared by all modalities follows the widest one, channel by channel. α is that range as a multiple of a modality's own. Where α differs between channels, the modality no longer fills the grid: the paper's Theorem 1 predicts the loss of SQNR.");
        SqnrSection.Key(html, modalities);
        Ratios(all).WriteHtml(html, "α over channels, in powers of two, mean over blocks");
        Losses(html, all, modalities);
        if (all.Any(entry => entry.Facts.MeasuredLoss is not null))
        {
            using (html.Element("div", ("class", "charts")))
            {
                Scatter(html, "Theorem 1, from α", all, modalities, entry => entry.PredictedLoss);
                Scatter(html, "The same, from ranges after smoothing", all, modalities, entry => entry.PredictedSmoothedLoss);
            }

            html.Element("p", "Theorem 1 takes factors to level the ranges entirely. Ours, as the paper's, move the square root into the weights; the second prediction accounts for that.", ("class", "soft"));
        }
    }

    private static TextTable Ratios((int Block, MisalignmentFacts Facts)[] all)
    {
        var table = new TextTable(2, "inputs of", "modality", "predicted loss, dB", "measured", "lowest α", "10 %", "median", "90 %", "highest");
        foreach (var group in all.GroupBy(entry => (entry.Facts.Group, entry.Facts.Modality)))
        {
            string Mean(Func<MisalignmentFacts, double> value) => Figures.Fixed(group.Average(entry => value(entry.Facts)), 1);
            table.Add([
                group.Key.Group, group.Key.Modality.ToLowerInvariant(),
                Mean(entry => entry.PredictedLoss), group.All(entry => entry.Facts.MeasuredLoss is not null) ? Mean(entry => entry.MeasuredLoss!.Value) : "–",
                .. Enumerable.Range(0, 5).Select(i => Mean(entry => entry.RangeRatios[i])),
            ]);
        }

        return table;
    }

    private static void Losses(MarkupWriter html, (int Block, MisalignmentFacts Facts)[] all, string[] modalities)
    {
        double[] values = [.. all.SelectMany(entry => (double[])[entry.Facts.PredictedSmoothedLoss, entry.Facts.MeasuredLoss ?? 0])];
        var extent = (Math.Floor(values.Min() - 0.5), Math.Ceiling(values.Max() + 0.5));
        using (html.Element("div", ("class", "charts")))
        {
            foreach (var group in all.GroupBy(entry => entry.Facts.Group))
            {
                var series = modalities.SelectMany(modality =>
                {
                    var own = group.Where(entry => entry.Facts.Modality == modality).ToArray();
                    return (ChartSeries[])[
                        new("", ChartStyle.Of(modality), [.. own.Select(entry => new ChartPoint(entry.Block, entry.Facts.PredictedSmoothedLoss))]) { Line = ChartLine.Dashed, Marked = false },
                        new(modality.ToLowerInvariant(), ChartStyle.Of(modality), [.. own.Select(entry => new ChartPoint(entry.Block, entry.Facts.MeasuredLoss ?? double.NaN))]),
                    ];
                });
                ChartWriter.Write(html, new Chart(
                    $"Cost of one factor for all: {group.Key}", $"Loss of SQNR by a uniform factor in every block, inputs of {group.Key}: measured, and predicted as a broken line.",
                    new ChartAxis("block") { Whole = true }, new ChartAxis("SQNR, dB") { Extent = extent }, [.. series]));
            }
        }
    }

    private static void Scatter(MarkupWriter html, string title, (int Block, MisalignmentFacts Facts)[] all, string[] modalities, Func<MisalignmentFacts, double> predicted)
    {
        var measured = all.Where(entry => entry.Facts.MeasuredLoss is not null).Select(entry => entry.Facts).ToArray();
        var r = Correlation.Of([.. measured.Select(predicted)], [.. measured.Select(entry => entry.MeasuredLoss!.Value)]);
        var series = modalities.Select(modality => new ChartSeries("", ChartStyle.Of(modality), [.. measured.Where(entry => entry.Modality == modality).Select(entry => new ChartPoint(predicted(entry), entry.MeasuredLoss!.Value))]) { Line = ChartLine.None });
        ChartWriter.Write(html, new Chart(
            $"{title}: r = {Figures.Fixed(r, 2)}", $"Measured against predicted loss of SQNR, a point per block, group and modality; Pearson's r is {Figures.Fixed(r, 2)}.",
            new ChartAxis("predicted, dB"), new ChartAxis("measured, dB"), [.. series])
        { Diagonal = true });
    }
}
