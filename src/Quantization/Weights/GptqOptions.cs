namespace MASQuant.Weights;

/// <summary>How <see cref="GptqQuantizer"/> works.</summary>
internal sealed record GptqOptions
{
    /// <summary>λ: λ·mean(diag H) is added to the diagonal.</summary>
    public double Damping { get; init; } = 0.01;

    /// <summary>How often λ is raised tenfold when H has no Cholesky factor.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>Inputs that are quantized between two matrix products.</summary>
    public int Block { get; init; } = 128;

    /// <summary>Whether the inputs with the most energy are quantized first, while all others can still make up for their errors.</summary>
    public bool EnergyOrder { get; init; }

    /// <summary>Whether scales are searched by weighted error instead of taken from the largest weight.</summary>
    public bool SearchClip { get; init; }
}
