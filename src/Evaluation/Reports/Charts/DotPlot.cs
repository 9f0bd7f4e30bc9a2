using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>A value with its interval per row, over one axis: for comparing models.</summary>
internal static class DotPlot
{
    private const double Width = 420;
    private const double RowHeight = 20;
    private const double Top = 4;
    private const double MaxLabelBeside = 150; // Longer labels stand above their rows.
    private const double Gap = 12;

    /// <summary>Writes a figure: heading and drawing.</summary>
    /// <param name="html">Receives it.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">What a reader who cannot see it should know.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="rows">From top to bottom.</param>
    public static void Write(MarkupWriter html, string title, string description, ChartAxis axis, IReadOnlyList<DotRow> rows)
    {
        var longest = rows.Select(row => TextWidth.Of(row.Label)).DefaultIfEmpty(0).Max();
        var beside = longest <= MaxLabelBeside;
        var left = beside ? longest + Gap : Gap;
        var labels = rows.Select(row => TextWidth.Lines(row.Label, Width - Gap)).ToArray();
        var scale = new ChartScale(axis, rows.SelectMany(row => (double[])[row.Value, row.Low, row.High]), left, Width - Gap);
        var floor = Top + rows.Zip(labels, (_, label) => HeightOf(label, beside)).Sum() + 4;
        using (html.Element("figure"))
        {
            html.Element("figcaption", title);
            using (html.Element("svg", ("viewBox", $"0 0 {MarkupWriter.Number(Width)} {MarkupWriter.Number(floor + AcrossAxis.HeightOf(axis.Title, Width))}"), ("role", "img")))
            {
                html.Element("title", title);
                html.Element("desc", description);
                foreach (var (value, _) in scale.Ticks)
                {
                    var x = MarkupWriter.Number(scale.At(value));
                    html.Empty("path", ("class", "grid"), ("d", $"M{x} {MarkupWriter.Number(Top)}L{x} {MarkupWriter.Number(floor)}"));
                }

                AcrossAxis.Write(html, axis.Title, scale.Ticks.Select(tick => (scale.At(tick.Value), tick.Text)), floor, left, Width, Width);
                var top = Top;
                foreach (var (row, label) in rows.Zip(labels))
                {
                    var y = top + HeightOf(label, beside) - (RowHeight / 2);
                    foreach (var (line, text) in label.Index())
                    {
                        var (x, baseline, anchor) = beside ? (left - 8, y + 4, "end") : (0, y - 10 - ((label.Count - 1 - line) * TextWidth.LineHeight), "start");
                        html.Element("text", text, ("class", row.Emphasized ? "name" : null), ("x", MarkupWriter.Number(x)), ("y", MarkupWriter.Number(baseline)), ("text-anchor", anchor));
                    }

                    WriteValue(html, row, axis, scale, y);
                    top += HeightOf(label, beside);
                }
            }
        }

        html.Line();
    }

    private static double HeightOf(IReadOnlyList<string> label, bool beside) => RowHeight + (beside ? 0 : label.Count * TextWidth.LineHeight);

    private static void WriteValue(MarkupWriter html, DotRow row, ChartAxis axis, ChartScale scale, double y)
    {
        if (!scale.Covers(row.Value))
        {
            return;
        }

        using (html.Element("g", ("class", $"series {row.Style.Class}")))
        {
            if (scale.Covers(row.High))
            {
                var low = scale.At(scale.Covers(row.Low) ? row.Low : row.Value);
                html.Empty("path", ("class", "whisker"), ("d", $"M{MarkupWriter.Number(low)} {MarkupWriter.Number(y)}L{MarkupWriter.Number(scale.At(row.High))} {MarkupWriter.Number(y)}"));
            }

            using (html.Element("circle", ("class", "mark"), ("cx", MarkupWriter.Number(scale.At(row.Value))), ("cy", MarkupWriter.Number(y)), ("r", "4")))
            {
                html.Element("title", $"{row.Label}: {HoverText.Of(row.Value, (row.Low, row.High))} ({axis.Title})");
            }
        }
    }
}

/// <summary>One row.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">The value.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">The interval's upper end.</param>
/// <param name="Style">Its colour.</param>
internal sealed record DotRow(string Label, double Value, double Low, double High, ChartStyle Style)
{
    /// <summary>Whether the label stands out.</summary>
    public bool Emphasized { get; init; }
}
