namespace MASQuant.Bench.Cuda;

/// <summary>A number to hold, and what was measured; NaN where it was not, which has no verdict.</summary>
/// <param name="Name">The case.</param>
/// <param name="Measured">A ratio, or microseconds where the name says so.</param>
/// <param name="Hold">What is to be held; NaN: reported only.</param>
/// <param name="Stretch">What would be better; NaN: nothing is set.</param>
/// <param name="AtMost">Whether less is better.</param>
internal sealed record Verdict(string Name, double Measured, double Hold, double Stretch, bool AtMost)
{
    /// <summary>The heading of a table of rows.</summary>
    public const string Heading = "| case | measured | hold | stretch | |\n|---|---:|---:|---:|---|";

    public string Judgement => double.IsNaN(Measured) || double.IsNaN(Hold) ? "" : Reaches(Stretch) ? "stretch" : Reaches(Hold) ? "holds" : "MISSES";

    public string Row => FormattableString.Invariant($"| {Name} | {(double.IsNaN(Measured) ? "not measured" : $"{Measured:F2}")} | {Bound(Hold)} | {Bound(Stretch)} | {Judgement} |");

    private bool Reaches(double bound) => AtMost ? Measured <= bound : Measured >= bound;

    private string Bound(double value) => double.IsNaN(value) ? "" : FormattableString.Invariant($"{(AtMost ? "≤" : "≥")} {value}");
}
