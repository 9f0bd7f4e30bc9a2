namespace MASQuant.Evaluation.Scores;

/// <summary>A model's figure beside the reference's on the same samples.</summary>
/// <param name="Own">The model's.</param>
/// <param name="Reference">The full-precision model's.</param>
/// <param name="Difference">The model's less the reference's; its interval resamples both by the same samples (paired).</param>
public sealed record Figure(Estimate Own, Estimate Reference, Estimate Difference)
{
    /// <summary>The model's figure.</summary>
    public double Value => Own.Value;

    /// <summary>Whether it lies within the reference's 95 % interval.</summary>
    public bool WithinReference => Reference.Contains(Own.Value);
}
