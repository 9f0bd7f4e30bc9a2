using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>Draws a <see cref="Chart"/> as inline SVG. Colours come from the style sheet, so that one drawing serves light and dark.</summary>
public sealed class ChartWriter
{
    private const double Width = 420;
    private const double Top = 10;
    private const double PlotHeight = 212;
    private const double TitleWidth = 18; // Of the vertical axis' title, which lies on its side.
    private const double MaxNameWidth = 110; // Longer names stand below the drawing.
    private const double Gap = 6;
    private readonly MarkupWriter _html;
    private readonly Chart _chart;
    private readonly ChartScale _x;
    private readonly ChartScale _y;
    private readonly Boxes _labels = new();
    private readonly double _left;
    private readonly double _right;
    private readonly bool _namesBelow;

    private ChartWriter(MarkupWriter html, Chart chart)
    {
        (_html, _chart) = (html, chart);
        var points = chart.Series.SelectMany(series => series.Points).Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y)).ToArray();
        var names = chart.Series.Where(series => series.Name.Length > 0).Select(series => TextWidth.Of(series.Name)).ToArray();
        var longest = names.DefaultIfEmpty(0).Max();
        _namesBelow = longest > MaxNameWidth || names.Length * TextWidth.LineHeight > PlotHeight;
        _y = new ChartScale(chart.Y, points.SelectMany(point => point.Interval is { } interval ? [point.Y, interval.Low, interval.High] : (double[])[point.Y]), Floor, Top);
        _left = TitleWidth + _y.Ticks.Select(tick => TextWidth.Of(tick.Text)).DefaultIfEmpty(0).Max() + Gap;
        _right = Width - (longest == 0 || _namesBelow ? 12 : Gap + longest);
        _x = new ChartScale(chart.X, points.Select(point => point.X), _left, _right);
    }

    private static double Floor => Top + PlotHeight;

    private double KeyTop => Floor + AcrossAxis.HeightOf(_chart.X.Title, Width);

    /// <summary>Writes a figure: heading and drawing.</summary>
    public static void Write(MarkupWriter html, Chart chart)
    {
        using (html.Element("figure"))
        {
            html.Element("figcaption", chart.Title);
            var writer = new ChartWriter(html, chart);
            using (html.Element("svg", ("viewBox", $"0 0 {MarkupWriter.Number(Width)} {MarkupWriter.Number(writer.KeyTop + (writer.KeyLines().Count() * TextWidth.LineHeight))}"), ("role", "img")))
            {
                html.Element("title", chart.Title);
                html.Element("desc", chart.Description);
                writer.Draw();
            }
        }

        html.Line();
    }

    private void Draw()
    {
        DrawAxes();
        if (_chart.Diagonal)
        {
            DrawDiagonal();
        }

        foreach (var series in _chart.Series)
        {
            using (_html.Element("g", ("class", $"series {series.Style.Class}")))
            {
                DrawLine(series);
                foreach (var point in series.Points.Where(Drawn))
                {
                    DrawPoint(series, point);
                }
            }
        }

        DrawNames();
    }

    private void DrawAxes()
    {
        var taken = new Boxes();
        foreach (var (value, text) in _y.Ticks)
        {
            Line("grid", _left, _y.At(value), _right, _y.At(value));
            if (taken.TryTake(text, _left - Gap, _y.At(value) + 4, "end"))
            {
                Label(text, _left - Gap, _y.At(value) + 4, "end");
            }
        }

        foreach (var (value, _) in _x.Ticks)
        {
            Line("grid", _x.At(value), Top, _x.At(value), Floor);
        }

        AcrossAxis.Write(_html, _chart.X.Title, _x.Ticks.Select(tick => (_x.At(tick.Value), tick.Text)), Floor, _left, _right, Width);
        var middle = MarkupWriter.Number((Top + Floor) / 2);
        var title = TextWidth.Lines(_chart.Y.Title, Floor)[0];
        _html.Element("text", title, ("class", "axis"), ("text-anchor", "middle"), ("transform", $"translate(12 {middle}) rotate(-90)"));
    }

    private void DrawDiagonal()
    {
        var values = _x.Ticks.Concat(_y.Ticks).Select(tick => tick.Value).Where(value => _x.Covers(value) && _y.Covers(value)).ToArray();
        if (values.Length > 1)
        {
            Line("diagonal", _x.At(values.Min()), _y.At(values.Min()), _x.At(values.Max()), _y.At(values.Max()));
        }
    }

    private void DrawLine(ChartSeries series)
    {
        if (series.Line == ChartLine.None)
        {
            return;
        }

        var path = new System.Text.StringBuilder();
        ChartPoint? previous = null;
        foreach (var point in series.Points)
        {
            if (!Drawn(point))
            {
                previous = null;
                continue;
            }

            if (previous is { } before && series.Line == ChartLine.Steps)
            {
                path.Append($"L{At(point.X, before.Y)}");
            }

            path.Append(previous is null ? 'M' : 'L').Append(At(point.X, point.Y));
            previous = point;
        }

        if (path.Length > 0)
        {
            _html.Empty("path", ("class", series.Line == ChartLine.Dashed ? "dashed" : "line"), ("d", path.ToString()));
        }
    }

    private void DrawPoint(ChartSeries series, ChartPoint point)
    {
        var (x, y) = (_x.At(point.X), _y.At(point.Y));
        if (point.Interval is { } interval)
        {
            Line("whisker", x, _y.At(_y.Covers(interval.Low) ? interval.Low : point.Y), x, _y.At(interval.High));
        }

        if (series.Marked)
        {
            using (_html.Element("path", ("class", "mark"), ("d", Shape(series.Style.Mark, x, y))))
            {
                var name = series.Name.Length > 0 ? series.Name : point.Label;
                _html.Element("title", $"{(name is null ? "" : $"{name}: ")}{HoverText.Of(point.Y, point.Interval)} ({_chart.Y.Title}) at {HoverText.Of(point.X)} ({_chart.X.Title})");
            }
        }

        if (point.Label is { } label)
        {
            DrawLabel(label, x, y);
        }
    }

    // Towards the side with more room, above or below; where there is none, who points at the mark is told.
    private void DrawLabel(string label, double x, double y)
    {
        var rightwards = x < (_left + _right) / 2;
        foreach (var (toRight, down) in ((bool, bool)[])[(rightwards, false), (rightwards, true), (!rightwards, false), (!rightwards, true)])
        {
            var (place, baseline, width) = (x + (toRight ? 7 : -7), y + (down ? 14 : -5), TextWidth.Of(label));
            var fits = (toRight ? place + width <= _right : place - width >= _left) && baseline - TextWidth.FontSize >= 0 && baseline + 3 <= Floor;
            if (fits && _labels.TryTake(label, place, baseline, toRight ? "start" : "end"))
            {
                Label(label, place, baseline, toRight ? "start" : "end", "name");
                return;
            }
        }
    }

    // Beside the last points, pushed apart where they would overlap; or below, a mark before each.
    private void DrawNames()
    {
        if (_namesBelow)
        {
            foreach (var (line, (series, text, isFirst)) in KeyLines().Index())
            {
                var y = KeyTop + ((line + 1) * TextWidth.LineHeight) - 4;
                if (isFirst)
                {
                    using (_html.Element("g", ("class", $"series key {series.Style.Class}")))
                    {
                        _html.Empty("path", ("class", "mark"), ("d", Shape(series.Style.Mark, 8, y - 4)));
                    }
                }

                Label(text, 18, y, "start", $"name {series.Style.Class}");
            }

            return;
        }

        var names = Named().Select(series => (Series: series, Y: _y.At(series.Points.Last(Drawn).Y) + 4)).OrderBy(name => name.Y).ToArray();
        for (var i = 1; i < names.Length; i++)
        {
            names[i].Y = Math.Max(names[i].Y, names[i - 1].Y + TextWidth.LineHeight);
        }

        var floor = Floor + 4;
        for (var i = names.Length - 1; i >= 0; i--)
        {
            names[i].Y = Math.Min(names[i].Y, floor);
            floor = names[i].Y - TextWidth.LineHeight;
        }

        foreach (var (series, y) in names)
        {
            Label(series.Name, _right + Gap, y, "start", $"name {series.Style.Class}");
        }
    }

    private IEnumerable<ChartSeries> Named() => _chart.Series.Where(series => series.Name.Length > 0 && series.Points.Any(Drawn));

    private IEnumerable<(ChartSeries Series, string Text, bool IsFirst)> KeyLines()
        => _namesBelow ? Named().SelectMany(series => TextWidth.Lines(series.Name, Width - 18).Select((text, line) => (series, text, line == 0))) : [];

    private bool Drawn(ChartPoint point) => _x.Covers(point.X) && _y.Covers(point.Y);

    private string At(double x, double y) => $"{MarkupWriter.Number(_x.At(x))} {MarkupWriter.Number(_y.At(y))}";

    private void Line(string style, double x1, double y1, double x2, double y2)
        => _html.Empty("path", ("class", style), ("d", $"M{MarkupWriter.Number(x1)} {MarkupWriter.Number(y1)}L{MarkupWriter.Number(x2)} {MarkupWriter.Number(y2)}"));

    private void Label(string text, double x, double y, string anchor, string? style = null)
        => _html.Element("text", text, ("class", style), ("x", MarkupWriter.Number(x)), ("y", MarkupWriter.Number(y)), ("text-anchor", anchor));

    private static string Shape(ChartMark mark, double x, double y)
    {
        string P(double dx, double dy) => $"{MarkupWriter.Number(x + dx)} {MarkupWriter.Number(y + dy)}";
        return mark switch
        {
            ChartMark.Square => $"M{P(-2.8, -2.8)}L{P(2.8, -2.8)}L{P(2.8, 2.8)}L{P(-2.8, 2.8)}Z",
            ChartMark.Triangle => $"M{P(0, -3.8)}L{P(3.6, 2.8)}L{P(-3.6, 2.8)}Z",
            ChartMark.Diamond => $"M{P(0, -4)}L{P(4, 0)}L{P(0, 4)}L{P(-4, 0)}Z",
            _ => $"M{P(-3.2, 0)}a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0Z",
        };
    }
}
