using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>Horizontal bars with their values beside them.</summary>
internal static class BarChart
{
    private const double Width = 420;
    private const double LabelWidth = 118;
    private const double ValueWidth = 88;
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
        using (html.Element("figure"))
        {
            html.Element("figcaption", title);
            using (html.Element("svg", ("viewBox", $"0 0 {MarkupWriter.Number(Width)} {MarkupWriter.Number((bars.Count * Row) + 4)}"), ("role", "img")))
            {
                html.Element("title", title);
                html.Element("desc", description);
                for (var i = 0; i < bars.Count; i++)
                {
                    Write(html, bars[i], i * Row, longest);
                }
            }
        }

        html.Line();
    }

    private static void Write(MarkupWriter html, Bar bar, double top, double longest)
    {
        var length = double.IsFinite(bar.Value) && longest > 0 ? Math.Max(0, bar.Value) / longest * (Width - LabelWidth - ValueWidth) : 0;
        var baseline = MarkupWriter.Number(top + 15.5);
        html.Element("text", bar.Label, ("x", MarkupWriter.Number(LabelWidth - 8)), ("y", baseline), ("text-anchor", "end"));
        html.Empty("rect", ("class", $"bar {bar.Style.Class}"), ("x", MarkupWriter.Number(LabelWidth)), ("y", MarkupWriter.Number(top + 4)), ("width", MarkupWriter.Number(Math.Max(1, length))), ("height", MarkupWriter.Number(Thickness)), ("rx", "2"));
        html.Element("text", bar.Text, ("class", "value"), ("x", MarkupWriter.Number(LabelWidth + length + 6)), ("y", baseline));
    }
}

/// <summary>One bar.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length, at least 0.</param>
/// <param name="Text">The value as people read it.</param>
/// <param name="Style">Its colour.</param>
internal sealed record Bar(string Label, double Value, string Text, ChartStyle Style);
