namespace MASQuant.Evaluation.Scores;

/// <summary>A figure measured on samples, with its 95 % bootstrap interval. All NaN when it was not measured.</summary>
/// <param name="Value">The figure.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">The interval's upper end.</param>
public readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>Half of the interval's width.</summary>
    public double Margin => (High - Low) / 2;

    /// <summary>Whether a value lies in the interval.</summary>
    public bool Contains(double value) => value >= Low && value <= High;
}
