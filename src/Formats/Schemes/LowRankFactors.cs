namespace MASQuant.Formats.Schemes;

/// <summary>A cross-modal compensation patch: L1 · L2 ≈ ΔWᵀ (paper Eq. 26–28).</summary>
/// <param name="L1">[K, r].</param>
/// <param name="L2">[r, N].</param>
public sealed record LowRankFactors(Matrix L1, Matrix L2)
{
    /// <summary>r, the number of columns of L1.</summary>
    public int Rank => L1.Columns;
}
