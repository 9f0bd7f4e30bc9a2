using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Reports;

/// <summary>The SQNR of every layer's output, before and after compensation.</summary>
internal static class SqnrSection
{
    // From here on a layer is exact, which no axis need show.
    internal const double Exact = 200;

    /// <summary>Writes the section.</summary>
    public static void Write(MarkupWriter html, Manifest manifest)
    {
        html.Element("p", "How far the noise of quantization lies below the signal, on the calibration set, each layer fed by what was quantized before it. Higher is better; 6 dB halve the error. Broken lines are without patches, whole lines with them; text has none.");
        Key(html, manifest.Model.Modalities);
        var linears = manifest.Layers.SelectMany(layer => layer.Linears.Select(linear => (layer.Index, Linear: linear))).ToArray();
        double[] all = [.. linears.SelectMany(entry => entry.Linear.Sqnr.Values).SelectMany(sqnr => (double[])[sqnr.Before, sqnr.After]).Where(value => value < Exact)];
        var extent = all.Length == 0 ? (0, 1) : (Math.Floor(all.Min() - 1), Math.Ceiling(all.Max() + 1));
        using (html.Element("div", ("class", "charts")))
        {
            foreach (var kind in linears.GroupBy(entry => entry.Linear.Name))
            {
                var series = manifest.Model.Modalities.SelectMany(modality => Series([.. kind.Where(entry => entry.Linear.Sqnr.ContainsKey(modality)).Select(entry => (entry.Index, entry.Linear.Sqnr[modality]))], modality));
                ChartWriter.Write(html, new Chart(
                    kind.Key, $"SQNR of {kind.Key} in every block, by modality, without and with patches.",
                    new ChartAxis("block") { Whole = true }, new ChartAxis("SQNR, dB") { Extent = extent }, [.. series]));
            }
        }
    }

    /// <summary>Names the modalities in their colours.</summary>
    public static void Key(MarkupWriter html, IEnumerable<string> modalities)
    {
        using (html.Element("p"))
        {
            foreach (var modality in modalities)
            {
                html.Element("span", $"{Mark(modality)} {modality.ToLowerInvariant()}", ("class", $"key {ChartStyle.Of(modality).Class}"));
            }
        }
    }

    private static string Mark(string modality) => ChartStyle.Of(modality).Mark switch { ChartMark.Square => "■", ChartMark.Triangle => "▲", _ => "●" };

    private static IEnumerable<ChartSeries> Series((int Index, ManifestSqnr Sqnr)[] layers, string modality)
    {
        ChartPoint[] Points(Func<ManifestSqnr, double> value) => [.. layers.Select(layer => new ChartPoint(layer.Index, value(layer.Sqnr) < Exact ? value(layer.Sqnr) : double.NaN))];
        if (layers.Any(layer => layer.Sqnr.Before != layer.Sqnr.After))
        {
            yield return new ChartSeries("", ChartStyle.Of(modality), Points(sqnr => sqnr.Before)) { Line = ChartLine.Dashed, Marked = false };
        }

        yield return new ChartSeries(modality.ToLowerInvariant(), ChartStyle.Of(modality), Points(sqnr => sqnr.After));
    }
}
