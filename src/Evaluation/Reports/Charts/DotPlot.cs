using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>A value with its interval per row, over one axis: for comparing models.</summary>
internal static class DotPlot
{
    private const double Width = 420;
    private const double RowHeight = 20;
    private const double LabelHeight = 14;
    private const double Top = 4;
    private const double Bottom = 40;
    private const double LetterWidth = 6.4;
    private const int MaxLabelBeside = 24; // Letters; longer labels stand above their rows.

    /// <summary>Writes a figure: heading and drawing.</summary>
    /// <param name="html">Receives it.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">What a reader who cannot see it should know.</param>
    /// <param name="axis">The axis.</param>
    /// <param name="rows">From top to bottom.</param>
    public static void Write(MarkupWriter html, string title, string description, ChartAxis axis, IReadOnlyList<DotRow> rows)
    {
        var longest = rows.Select(row => row.Label.Length).DefaultIfEmpty(0).Max();
        var beside = longest <= MaxLabelBeside;
        var left = beside ? 12 + (longest * LetterWidth) : 12;
        var height = beside ? RowHeight : RowHeight + LabelHeight;
        var scale = new ChartScale(axis, rows.SelectMany(row => (double[])[row.Value, row.Low, row.High]), left, Width - 12);
        var floor = Top + (rows.Count * height) + 4;
        using (html.Element("figure"))
        {
            html.Element("figcaption", title);
            using (html.Element("svg", ("viewBox", $"0 0 {MarkupWriter.Number(Width)} {MarkupWriter.Number(floor + Bottom)}"), ("role", "img")))
            {
                html.Element("title", title);
                html.Element("desc", description);
                foreach (var (value, text) in scale.Ticks)
                {
                    var x = MarkupWriter.Number(scale.At(value));
                    html.Empty("path", ("class", "grid"), ("d", $"M{x} {MarkupWriter.Number(Top)}L{x} {MarkupWriter.Number(floor)}"));
                    html.Element("text", text, ("x", x), ("y", MarkupWriter.Number(floor + 14)), ("text-anchor", "middle"));
                }

                html.Element("text", axis.Title, ("class", "axis"), ("x", MarkupWriter.Number((left + Width) / 2)), ("y", MarkupWriter.Number(floor + 32)), ("text-anchor", "middle"));
                for (var i = 0; i < rows.Count; i++)
                {
                    var y = Top + ((i + 1) * height) - (RowHeight / 2);
                    var (x, baseline, anchor) = beside ? (left - 8, y + 4, "end") : (0, y - 10, "start");
                    html.Element("text", rows[i].Label, ("class", rows[i].Emphasized ? "name" : null), ("x", MarkupWriter.Number(x)), ("y", MarkupWriter.Number(baseline)), ("text-anchor", anchor));
                    WriteValue(html, rows[i], scale, y);
                }
            }
        }

        html.Line();
    }

    private static void WriteValue(MarkupWriter html, DotRow row, ChartScale scale, double y)
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

            html.Empty("circle", ("class", "mark"), ("cx", MarkupWriter.Number(scale.At(row.Value))), ("cy", MarkupWriter.Number(y)), ("r", "4"));
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
