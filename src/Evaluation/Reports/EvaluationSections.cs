using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Reports;

/// <summary>The sections about an evaluation.</summary>
public static class EvaluationSections
{
    /// <summary>Divergence by task, SQNR by block and modality, changed answers.</summary>
    /// <param name="labels">What the models are called, the reference first.</param>
    /// <param name="results">Their figures.</param>
    /// <param name="style">The style of each quantized model, from 0.</param>
    public static IEnumerable<ReportSection> Of(IReadOnlyList<string> labels, IReadOnlyList<EvaluationResult> results, Func<int, ChartStyle> style)
    {
        if (results.Count < 2)
        {
            yield break;
        }

        yield return new("divergence", "Divergence from full precision", html => WriteDivergence(html, labels, results, style));
        yield return new("blocks", "SQNR of the decoder blocks", html => WriteBlocks(html, labels, results));
        if (results.Any(result => result.Changed.Count > 0))
        {
            yield return new("changed", "Answers that changed", html => ChangedAnswers.Write(html, labels, results));
        }
    }

    private static void WriteDivergence(MarkupWriter html, IReadOnlyList<string> labels, IReadOnlyList<EvaluationResult> results, Func<int, ChartStyle> style)
    {
        html.Element("p", "KL(full precision ‖ quantized) of the next-token distributions over the expected answers, in nats per token, with 95 % bootstrap intervals over samples. Lower is better; the axes are logarithmic.");
        using (html.Element("div", ("class", "charts")))
        {
            for (var t = 0; t < results[0].Tasks.Count; t++)
            {
                var rows = results.Skip(1).Select((result, m) =>
                {
                    var divergence = result.Tasks[t].KullbackLeibler.Own;
                    return new DotRow(labels[m + 1], divergence.Value, divergence.Low, divergence.High, style(m));
                });
                var name = results[0].Tasks[t].Task is { Length: > 0 } task ? task : "all";
                DotPlot.Write(html, $"Task: {name}", $"KL divergence of every model on task {name}, with intervals.", new ChartAxis("KL, nats per token") { Logarithmic = true }, [.. rows]);
            }
        }
    }

    private static void WriteBlocks(MarkupWriter html, IReadOnlyList<string> labels, IReadOnlyList<EvaluationResult> results)
    {
        html.Element("p", "The output of every decoder block against full precision, all blocks before it quantized too, by the modality of the token. Higher is better.");
        var modalities = results[0].Modalities.Select(modality => modality.Modality.ToString()).ToArray();
        SqnrSection.Key(html, modalities);
        double[] all = [.. results.Skip(1).SelectMany(result => result.Modalities).SelectMany(modality => modality.BlockSqnr).Where(value => Math.Abs(value) < SqnrSection.Exact)];
        var extent = all.Length == 0 ? (0, 1) : (Math.Floor(all.Min() - 1), Math.Ceiling(all.Max() + 1));
        using (html.Element("div", ("class", "charts")))
        {
            foreach (var (label, result) in labels.Zip(results).Skip(1))
            {
                var series = result.Modalities.Select(modality => new ChartSeries(
                    modality.Modality.ToString().ToLowerInvariant(), ChartStyle.Of(modality.Modality.ToString()),
                    [.. modality.BlockSqnr.Select((sqnr, block) => new ChartPoint(block, Math.Abs(sqnr) < SqnrSection.Exact ? sqnr : double.NaN))]));
                ChartWriter.Write(html, new Chart(label, $"SQNR of every block's output of {label}, by modality.", new ChartAxis("block") { Whole = true }, new ChartAxis("SQNR, dB") { Extent = extent }, [.. series]));
            }
        }
    }
}
