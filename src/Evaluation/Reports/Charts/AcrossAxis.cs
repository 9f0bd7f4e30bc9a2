using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>The words below a drawing's horizontal axis: ticks, as far as there is room, and its title clear of them.</summary>
internal static class AcrossAxis
{
    /// <summary>What the words take below the axis, with a title of one line.</summary>
    public const double Height = 38;

    private const double TickBaseline = 15;
    private const double TitleBaseline = 33;

    /// <summary>What the words take with a title that may be long.</summary>
    public static double HeightOf(string title, double width) => Height + ((TextWidth.Lines(title, width).Count - 1) * TextWidth.LineHeight);

    /// <summary>Writes them.</summary>
    /// <param name="html">Receives them.</param>
    /// <param name="title">Quantity and unit.</param>
    /// <param name="ticks">Values' places and texts, from left to right.</param>
    /// <param name="y">The axis.</param>
    /// <param name="left">Where it begins.</param>
    /// <param name="right">Where it ends.</param>
    /// <param name="width">The drawing's.</param>
    public static void Write(MarkupWriter html, string title, IEnumerable<(double X, string Text)> ticks, double y, double left, double right, double width)
    {
        var taken = new Boxes();
        foreach (var (x, text) in ticks)
        {
            var half = TextWidth.Of(text) / 2;
            var place = Math.Clamp(x, half, Math.Max(half, width - half));
            if (taken.TryTake(text, place, y + TickBaseline, "middle"))
            {
                html.Element("text", text, ("x", MarkupWriter.Number(place)), ("y", MarkupWriter.Number(y + TickBaseline)), ("text-anchor", "middle"));
            }
        }

        foreach (var (line, text) in TextWidth.Lines(title, width).Index())
        {
            var half = TextWidth.Of(text) / 2;
            html.Element("text", text, ("class", "axis"), ("x", MarkupWriter.Number(Math.Clamp((left + right) / 2, half, Math.Max(half, width - half)))), ("y", MarkupWriter.Number(y + TitleBaseline + (line * TextWidth.LineHeight))), ("text-anchor", "middle"));
        }
    }
}
