using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>How patches are computed.</summary>
internal sealed record CompensationOptions
{
    /// <summary>Damping of the whitening.</summary>
    public WhiteningOptions Whitening { get; init; } = new();

    /// <summary>τ: how many tokens the regression on outputs counts the known weight residual for. Beside many tokens it says little; beside few it says nearly all.</summary>
    public double PriorTokens { get; init; }

    /// <summary>The truncated decomposition of residuals too large for an exact one.</summary>
    public RandomizedSvdOptions Decomposition { get; init; } = new();

    /// <summary>Whether L1 and L2 are rounded to FP16, as they are stored.</summary>
    public bool RoundToFloat16 { get; init; } = true;

    /// <summary>Factors, solves and decomposes.</summary>
    public ICompute Compute { get; init; } = ManagedCompute.Instance;
}
