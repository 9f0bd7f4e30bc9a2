using System.Globalization;
using System.Xml.Linq;
using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Reports.Charts;

namespace MASQuant.Quantization.Tests.Report;

public class ChartTests
{
    private const string Hostile = "</svg><script>alert('1')</script>&\"\0\uD800";

    [Fact]
    public void Equal_ratios_are_equal_distances_on_a_logarithmic_axis()
    {
        var chart = Draw(new ChartAxis("rank"), new ChartAxis("KL") { Logarithmic = true }, new(1, 0.001), new(2, 0.01), new(3, 0.1));
        var (x, y) = Line(chart);
        Assert.Equal(x[1] - x[0], x[2] - x[1], 0.02); // Coordinates have two decimals.
        Assert.Equal(y[1] - y[0], y[2] - y[1], 0.02);
        Assert.True(y[0] > y[1], "Larger values belong higher up.");
    }

    // Where no power of ten, nor 2 or 5 times one, lies on the axis.
    [Theory]
    [InlineData(0.0021, 0.0034, "0.0025", "0.0030")]
    [InlineData(2.1e-7, 3.4e-7, "2.5·10⁻⁷", "3.0·10⁻⁷")]
    [InlineData(21, 34, "25", "30")]
    public void A_short_logarithmic_axis_has_ticks_too(double low, double high, params string[] expected)
    {
        var chart = Draw(new ChartAxis("rank"), new ChartAxis("KL") { Logarithmic = true }, new(1, low), new(2, high));
        var ticks = chart.Descendants("text").Where(label => label.Attribute("text-anchor")!.Value == "end").Select(label => label.Value).ToArray();
        Assert.Superset(expected.ToHashSet(), ticks.ToHashSet());
        Assert.Equal(ticks.Distinct(), ticks);
    }

    [Fact]
    public void Long_names_stand_below_and_labels_give_way()
    {
        var name = new string('n', 80);
        var chart = Parse(new Chart("Title", "Description", new ChartAxis("x"), new ChartAxis("y"), [.. Enumerable.Range(0, 3).Select(i => new ChartSeries($"{i}{name}", ChartStyle.Of(i), [new(0, 0) { Label = "A" }, new(1, i)]))]));
        var height = double.Parse(chart.Element("svg")!.Attribute("viewBox")!.Value.Split(' ')[3], CultureInfo.InvariantCulture);
        var names = chart.Descendants("text").Where(text => text.Value.Contains("nn", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3 * (name.Length + 1), names.Sum(line => line.Value.Length));
        Assert.All(names, line => Assert.InRange(Number(line, "y"), 250, height));

        // Three labels want one place: two find others or none, and all marks tell theirs.
        Assert.InRange(chart.Descendants("text").Count(text => text.Value == "A"), 1, 3);
        Assert.Equal(6, chart.Descendants("path").Count(mark => mark.Element("title")?.Value.Contains("(y) at ", StringComparison.Ordinal) == true));
    }

    [Theory]
    [InlineData("short", 100, "short")]
    [InlineData("one two three", 60, "one two", "three")]
    [InlineData("alpha beta", 70, "alpha", "beta")] // Of 73, all but the last letter fit.
    [InlineData("self_attn.q_proj", 80, "self_attn.q_", "proj")]
    [InlineData("iiiiiiii", 10, "ii", "ii", "ii", "ii")]
    public void Texts_are_cut_where_they_pause(string text, double width, params string[] lines) => Assert.Equal(lines, TextWidth.Lines(text, width));

    [Fact]
    public void A_text_without_end_has_few_lines()
    {
        var lines = TextWidth.Lines(new string('x', 1 << 20), 100);
        Assert.Equal(6, lines.Count);
        Assert.EndsWith("…", lines[^1], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.InRange(TextWidth.Of(line), 1, 100));
    }

    [Fact]
    public void A_linear_axis_keeps_proportions_and_names_its_ticks_where_they_are()
    {
        var chart = Draw(new ChartAxis("block") { Whole = true }, new ChartAxis("dB"), new(0, -10), new(1, 0), new(3, 20));
        var (x, y) = Line(chart);
        Assert.Equal(2 * (x[1] - x[0]), x[2] - x[1], 0.03);
        Assert.Equal(2 * (y[1] - y[0]), y[2] - y[1], 0.03);
        foreach (var (value, place) in ((double, double)[])[(-10, y[0]), (0, y[1]), (20, y[2])])
        {
            var text = value.ToString(CultureInfo.InvariantCulture).Replace('-', '−');
            var tick = Assert.Single(chart.Descendants("text"), label => label.Value == text && label.Attribute("text-anchor")!.Value == "end");
            Assert.Equal(place + 4, Number(tick, "y"), 0.02); // The baseline lies 4 below the middle of the letters.
        }
    }

    [Fact]
    public void What_has_no_place_is_left_out_and_interrupts_the_line()
    {
        var chart = Draw(new ChartAxis("x"), new ChartAxis("y") { Logarithmic = true }, new(0, 1), new(1, 0), new(2, 2), new(3, double.NaN), new(4, 3));
        Assert.Equal(3, chart.Descendants("path").Single(path => path.Attribute("class")!.Value == "line").Attribute("d")!.Value.Count(c => c == 'M'));
        Assert.Equal(3, chart.Descendants("path").Count(path => path.Attribute("class")!.Value == "mark"));
        Draw(new ChartAxis("x"), new ChartAxis("y"));
        Draw(new ChartAxis("x"), new ChartAxis("y"), new ChartPoint(1, 1));
    }

    [Fact]
    public void Names_do_not_overlap()
    {
        var series = Enumerable.Range(0, 6).Select(i => new ChartSeries($"series {i}", ChartStyle.Of(i), [new(0, i), new(1, 5)])).ToArray();
        var chart = Parse(new Chart("Title", "Description", new ChartAxis("x"), new ChartAxis("y"), series));
        var heights = chart.Descendants("text").Where(text => text.Value.StartsWith("series", StringComparison.Ordinal)).Select(text => Number(text, "y")).Order().ToArray();
        Assert.Equal(6, heights.Length);
        Assert.All(heights.Zip(heights.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 12, 300)); // The letters' height.
        Assert.All(heights, height => Assert.InRange(height, 0, 264));
    }

    [Fact]
    public void Every_text_is_escaped()
    {
        var html = new MarkupWriter();
        ChartWriter.Write(html, new Chart(Hostile, Hostile, new ChartAxis(Hostile), new ChartAxis(Hostile), [new ChartSeries(Hostile, ChartStyle.Of(Hostile), [new(0, 0) { Label = Hostile }])]));
        BarChart.Write(html, Hostile, Hostile, [new Bar(Hostile, 1, Hostile, ChartStyle.Neutral)]);
        Assert.DoesNotContain("<script", html.ToString(), StringComparison.Ordinal);
        var parsed = XElement.Parse($"<main>{html}</main>");
        Assert.Equal(Hostile.Replace('\0', '\uFFFD').Replace('\uD800', '\uFFFD'), parsed.Descendants("figcaption").First().Value);
    }

    [Fact]
    public void Coordinates_do_not_depend_on_the_culture()
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture.NumberFormat.NegativeSign = "~";
            var text = Draw(new ChartAxis("x"), new ChartAxis("y"), new(-0.5, -0.25), new(0.3, 0.1)).ToString();
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            Assert.Equal(Draw(new ChartAxis("x"), new ChartAxis("y"), new(-0.5, -0.25), new(0.3, 0.1)).ToString(), text);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    private static XElement Draw(ChartAxis x, ChartAxis y, params ChartPoint[] points)
        => Parse(new Chart("Title", "Description", x, y, [new ChartSeries("name", ChartStyle.Of(0), points)]));

    private static XElement Parse(Chart chart)
    {
        var html = new MarkupWriter();
        ChartWriter.Write(html, chart);
        return XElement.Parse(html.ToString());
    }

    private static (double[] X, double[] Y) Line(XElement chart)
    {
        var path = chart.Descendants("path").Single(element => element.Attribute("class")!.Value == "line").Attribute("d")!.Value;
        var points = path.Split('M', 'L').Skip(1).Select(point => point.Split(' ').Select(part => double.Parse(part, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        return ([.. points.Select(point => point[0])], [.. points.Select(point => point[1])]);
    }

    private static double Number(XElement element, string attribute) => double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);
}
