namespace MASQuant.Formats.Models;

/// <summary>How a norm scales a row.</summary>
public enum NormKind
{
    /// <summary>x / √(mean(x²) + ε) ⊙ weight.</summary>
    RootMeanSquare,

    /// <summary>(x − mean) / √(variance + ε) ⊙ weight + bias.</summary>
    Layer,
}
