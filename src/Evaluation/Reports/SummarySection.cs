using System.Globalization;
using MASQuant.Evaluation.Markup;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;

namespace MASQuant.Evaluation.Reports;

/// <summary>Sizes, scheme, options and the SQNR in a few figures.</summary>
internal static class SummarySection
{
    /// <summary>Where a model comes from, in a line.</summary>
    public static string Origin(Manifest manifest)
        => string.Create(CultureInfo.InvariantCulture, $"{manifest.Model.Family} from '{manifest.Source}', {manifest.Layers.Count} blocks, quantized by MASQuant {manifest.ToolVersion}");

    /// <summary>Writes the section.</summary>
    public static void Write(MarkupWriter html, ReportModel model)
    {
        var manifest = model.Manifest;
        var quantized = manifest.Layers.Sum(layer => layer.Linears.Sum(linear => linear.Bytes));
        using (html.Element("dl", ("class", "tiles")))
        {
            if (model.Facts is { } facts)
            {
                Tile(html, "Checkpoint", Figures.Bytes(facts.SourceBytes), "");
            }

            var ratio = model.Facts is { SourceBytes: var source } && manifest.ArtifactBytes > 0 ? $"{Figures.Fixed((double)source / manifest.ArtifactBytes, 2)}× smaller" : "";
            Tile(html, "Artifact", manifest.ArtifactBytes > 0 ? Figures.Bytes(manifest.ArtifactBytes) : "–", ratio);
            Tile(html, "Quantized layers", Figures.Bytes(quantized), "codes, scales, patches");
            Tile(html, "Scheme", manifest.Scheme, SchemeMix.Of(manifest) is var mix && mix != manifest.Scheme ? mix : "weights and activations");
            if (manifest.Calibration is { } calibration)
            {
                Tile(html, "Calibrated on", string.Create(CultureInfo.InvariantCulture, $"{calibration.Samples} samples"), $"of {calibration.File}");
            }

            if (model.Times is { } times)
            {
                Tile(html, "Quantized in", Figures.Duration(TimeSpan.FromSeconds(times.Prepare + times.Write + times.Blocks.Sum(block => block.Values.Sum()))), "");
            }
        }

        SqnrSummary.Table(manifest).WriteHtml(html, "SQNR of all layers' outputs");
        if (QuantizedItem.Of(manifest) is { } item)
        {
            html.Element("p", "What makes it again, with your own folders before the names:");
            html.Element("pre", item, ("class", "scroll"), ("tabindex", "0"));
        }

        using (html.Element("details"))
        {
            html.Element("summary", "Options");
            Options(manifest).WriteHtml(html, "Options");
        }
    }

    private static TextTable Options(Manifest manifest)
    {
        var table = new TextTable(3, "option", "value", "default");
        foreach (var (word, value) in manifest.Options.Where(option => option.Value.Length > 0).OrderBy(option => option.Key, StringComparer.Ordinal))
        {
            var usual = OptionTable.All.FirstOrDefault(option => option.Name == word)?.Default;
            table.Add(word, value, usual is null or "" ? "–" : usual == value ? "✓" : usual);
        }

        return table;
    }

    private static void Tile(MarkupWriter html, string name, string value, string note)
    {
        using (html.Element("div"))
        {
            html.Element("dt", name);
            using (html.Element("dd"))
            {
                html.Text(value);
                if (note.Length > 0)
                {
                    html.Element("small", note);
                }
            }
        }
    }
}
