namespace MASQuant.Quantization.Compensation;

/// <summary>How a Gram matrix is made invertible.</summary>
internal sealed record WhiteningOptions
{
    /// <summary>λ: λ·mean(diag C) is added to the diagonal.</summary>
    public double Damping { get; init; } = 1e-3;

    /// <summary>How often λ is raised tenfold before the eigendecomposition takes over.</summary>
    public int Retries { get; init; } = 4;
}
