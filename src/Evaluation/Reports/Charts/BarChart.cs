using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>Horizontal bars with their values beside them.</summary>
internal static class BarChart
{
    private const double Width = 420;
    private const double MaxLabelWidth = 170;
    private const double Gap = 8;
    private const double Row = 24;
    private const double Thickness = 15;

    /// <summary>Writes a figure: heading and drawing.</summary>
    /// <param name="html">Receives it.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">What a reader who cannot see it should know.</param>
    /// <param name="bars">From top to bottom; lengths share one scale that starts at 0.</param>
    public static void Write(MarkupWriter html, string title, string description, IReadOnlyList<Bar> bars)
    {
        var longest = bars.Select(bar => bar.Value).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        var lines = bars.Select(bar => TextWidth.Lines(bar.Label, MaxLabelWidth)).ToArray();
        var left = lines.SelectMany(label => label).Select(TextWidth.Of).DefaultIfEmpty(0).Max() + Gap;
        var room = Width - left - bars.Select(bar => TextWidth.Of(bar.Text)).DefaultIfEmpty(0).Max() - Gap;
        var height = lines.Sum(label => HeightOf(label));
        using (html.Element("figure"))
        {
            html.Element("figcaption", title);
            using (html.Element("svg", ("viewBox", $"0 0 {MarkupWriter.Number(Width)} {MarkupWriter.Number(height + 4)}"), ("role", "img")))
            {
                html.Element("title", title);
                html.Element("desc", description);
                var top = 0.0;
                foreach (var (bar, label) in bars.Zip(lines))
                {
                    var length = double.IsFinite(bar.Value) && longest > 0 ? Math.Max(0, bar.Value) / longest * Math.Max(room, 0) : 0;
                    Write(html, bar, label, top, left, length);
                    top += HeightOf(label);
                }
            }
        }

        html.Line();
    }

    private static double HeightOf(IReadOnlyList<string> label) => Row + ((label.Count - 1) * TextWidth.LineHeight);

    private static void Write(MarkupWriter html, Bar bar, IReadOnlyList<string> label, double top, double left, double length)
    {
        foreach (var (line, text) in label.Index())
        {
            html.Element("text", text, ("x", MarkupWriter.Number(left - Gap)), ("y", MarkupWriter.Number(top + 15.5 + (line * TextWidth.LineHeight))), ("text-anchor", "end"));
        }

        using (html.Element("rect", ("class", $"bar {bar.Style.Class}"), ("x", MarkupWriter.Number(left)), ("y", MarkupWriter.Number(top + 4)), ("width", MarkupWriter.Number(Math.Max(1, length))), ("height", MarkupWriter.Number(Thickness)), ("rx", "2")))
        {
            html.Element("title", $"{bar.Label}: {bar.Text}");
        }

        html.Element("text", bar.Text, ("class", "value"), ("x", MarkupWriter.Number(left + length + 6)), ("y", MarkupWriter.Number(top + 15.5)));
    }
}

/// <summary>One bar.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length, at least 0.</param>
/// <param name="Text">The value as people read it.</param>
/// <param name="Style">Its colour.</param>
internal sealed record Bar(string Label, double Value, string Text, ChartStyle Style);
