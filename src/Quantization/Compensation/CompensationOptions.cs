using MASQuant.Numerics;

namespace MASQuant.Compensation;

/// <summary>How patches are computed.</summary>
internal sealed record CompensationOptions
{
    /// <summary>Damping of the whitening.</summary>
    public WhiteningOptions Whitening { get; init; } = new();

    /// <summary>The truncated decomposition of residuals too large for an exact one.</summary>
    public RandomizedSvdOptions Decomposition { get; init; } = new();

    /// <summary>Whether L1 and L2 are rounded to BF16, as they are stored.</summary>
    public bool RoundToBFloat16 { get; init; } = true;
}
