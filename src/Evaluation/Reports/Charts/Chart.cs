namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>A diagram of points over two axes.</summary>
/// <param name="Title">What it shows; the heading above it.</param>
/// <param name="Description">What a reader who cannot see it should know.</param>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical axis.</param>
/// <param name="Series">What is drawn, the last on top.</param>
public sealed record Chart(string Title, string Description, ChartAxis X, ChartAxis Y, IReadOnlyList<ChartSeries> Series)
{
    /// <summary>Whether the line y = x is drawn, for predictions against measurements.</summary>
    public bool Diagonal { get; init; }
}

/// <summary>An axis.</summary>
/// <param name="Title">Quantity and unit.</param>
public sealed record ChartAxis(string Title)
{
    /// <summary>Powers of ten at equal distances; values that are not positive are not drawn.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>Ticks at whole numbers only.</summary>
    public bool Whole { get; init; }

    /// <summary>A value that the axis covers whatever the data, such as 0; null for none.</summary>
    public double? Includes { get; init; }

    /// <summary>The extent, where several charts are to have the same; null to take the data's.</summary>
    public (double Low, double High)? Extent { get; init; }
}

/// <summary>Points that belong together.</summary>
/// <param name="Name">Written beside its last point; empty for none.</param>
/// <param name="Style">Its colour and mark.</param>
/// <param name="Points">In the order in which they are connected.</param>
public sealed record ChartSeries(string Name, ChartStyle Style, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>How the points are connected.</summary>
    public ChartLine Line { get; init; } = ChartLine.Solid;

    /// <summary>Whether the points are marked.</summary>
    public bool Marked { get; init; } = true;
}

/// <summary>A point; one that is not finite interrupts the line.</summary>
/// <param name="X">Where on the horizontal axis.</param>
/// <param name="Y">Where on the vertical axis.</param>
public readonly record struct ChartPoint(double X, double Y)
{
    /// <summary>The interval that is drawn as a whisker, or null.</summary>
    public (double Low, double High)? Interval { get; init; }

    /// <summary>A word beside the point, or null.</summary>
    public string? Label { get; init; }
}

/// <summary>How points are connected.</summary>
public enum ChartLine
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>By a line.</summary>
    Solid,

    /// <summary>By a thin broken line.</summary>
    Dashed,

    /// <summary>By steps, for a Pareto front.</summary>
    Steps,
}
