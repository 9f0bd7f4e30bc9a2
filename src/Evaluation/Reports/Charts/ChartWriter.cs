using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>Draws a <see cref="Chart"/> as inline SVG. Colours come from the style sheet, so that one drawing serves light and dark.</summary>
public sealed class ChartWriter
{
    private const double Width = 420;
    private const double Height = 264;
    private const double Left = 46;
    private const double Top = 10;
    private const double Bottom = 42;
    private const double LetterWidth = 7.4; // Of the style sheet's bold 12 px text, on the wide side.
    private const double LineHeight = 14;
    private readonly MarkupWriter _html;
    private readonly Chart _chart;
    private readonly ChartScale _x;
    private readonly ChartScale _y;
    private readonly double _right;

    private ChartWriter(MarkupWriter html, Chart chart)
    {
        (_html, _chart) = (html, chart);
        var points = chart.Series.SelectMany(series => series.Points).Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y)).ToArray();
        var longest = chart.Series.Select(series => series.Name.Length).DefaultIfEmpty(0).Max();
        _right = Width - (longest == 0 ? 12 : 10 + (longest * LetterWidth));
        _x = new ChartScale(chart.X, points.Select(point => point.X), Left, _right);
        _y = new ChartScale(chart.Y, points.SelectMany(point => point.Interval is { } interval ? [point.Y, interval.Low, interval.High] : (double[])[point.Y]), Height - Bottom, Top);
    }

    /// <summary>Writes a figure: heading and drawing.</summary>
    public static void Write(MarkupWriter html, Chart chart)
    {
        using (html.Element("figure"))
        {
            html.Element("figcaption", chart.Title);
            using (html.Element("svg", ("viewBox", $"0 0 {MarkupWriter.Number(Width)} {MarkupWriter.Number(Height)}"), ("role", "img")))
            {
                html.Element("title", chart.Title);
                html.Element("desc", chart.Description);
                new ChartWriter(html, chart).Draw();
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
        foreach (var (value, text) in _y.Ticks)
        {
            Line("grid", Left, _y.At(value), _right, _y.At(value));
            Label(text, Left - 6, _y.At(value) + 4, "end");
        }

        foreach (var (value, text) in _x.Ticks)
        {
            Line("grid", _x.At(value), Top, _x.At(value), Height - Bottom);
            Label(text, _x.At(value), Height - Bottom + 15, "middle");
        }

        Label(_chart.X.Title, (Left + _right) / 2, Height - 8, "middle", "axis");
        var middle = MarkupWriter.Number((Top + Height - Bottom) / 2);
        _html.Element("text", _chart.Y.Title, ("class", "axis"), ("text-anchor", "middle"), ("transform", $"translate(12 {middle}) rotate(-90)"));
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
            _html.Empty("path", ("class", "mark"), ("d", Shape(series.Style.Mark, x, y)));
        }

        if (point.Label is { } label)
        {
            // Towards the side with more room.
            var rightwards = x < (Left + _right) / 2;
            Label(label, x + (rightwards ? 7 : -7), y - 5, rightwards ? "start" : "end", "name");
        }
    }

    // Beside the last points, pushed apart where they would overlap.
    private void DrawNames()
    {
        var names = _chart.Series.Where(series => series.Name.Length > 0 && series.Points.Any(Drawn))
            .Select(series => (Series: series, Y: _y.At(series.Points.Last(Drawn).Y) + 4)).OrderBy(name => name.Y).ToArray();
        for (var i = 1; i < names.Length; i++)
        {
            names[i].Y = Math.Max(names[i].Y, names[i - 1].Y + LineHeight);
        }

        var floor = Height - Bottom + 4;
        for (var i = names.Length - 1; i >= 0; i--)
        {
            names[i].Y = Math.Min(names[i].Y, floor);
            floor = names[i].Y - LineHeight;
        }

        foreach (var (series, y) in names)
        {
            Label(series.Name, _right + 6, y, "start", $"name {series.Style.Class}");
        }
    }

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
