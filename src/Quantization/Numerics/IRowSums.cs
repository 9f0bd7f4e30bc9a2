using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>Where Σ AᵀB over rows is summed: C_m = X_mᵀX_m, and P_m = (X_m/s_m)ᵀ·R_m.</summary>
public interface IRowSums
{
    /// <summary>Begins a sum.</summary>
    /// <param name="total">[m, n]: what the sum is added to.</param>
    /// <param name="lowerOnly">Whether A is B, and the lower triangle is enough.</param>
    RowSum<T> SumInto<T>(RealMatrix<T> total, bool lowerOnly)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}
