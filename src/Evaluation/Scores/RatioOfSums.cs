namespace MASQuant.Evaluation.Scores;

/// <summary>A figure of the form Σ numerators / Σ denominators over samples, such as errors per word.</summary>
/// <param name="Numerators">One per sample.</param>
/// <param name="Denominators">One per sample.</param>
/// <param name="Exponential">Whether the figure is the ratio's exponential, as the perplexity is.</param>
internal sealed record RatioOfSums(double[] Numerators, double[] Denominators, bool Exponential = false)
{
    /// <summary>The figure over the given samples, which may repeat; NaN when the denominators vanish.</summary>
    public double Over(ReadOnlySpan<int> samples)
    {
        var (numerator, denominator) = (0.0, 0.0);
        foreach (var i in samples)
        {
            numerator += Numerators[i];
            denominator += Denominators[i];
        }

        var ratio = numerator / denominator;
        return Exponential ? Elementary.Exp(ratio) : ratio;
    }
}
