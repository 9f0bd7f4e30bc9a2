using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>A truncated singular value decomposition A ≈ Σ_i u_i·σ_i·v_iᵀ.</summary>
/// <param name="LeftRows">[r, m]: row i is u_i.</param>
/// <param name="Values">σ, descending.</param>
/// <param name="RightRows">[r, n]: row i is v_i.</param>
public sealed record SingularFactors<T>(RealMatrix<T> LeftRows, double[] Values, RealMatrix<T> RightRows)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>r.</summary>
    public int Rank => Values.Length;

    /// <summary>⟨A, B⟩ = tr(AᵀB) of the products that two decompositions stand for.</summary>
    public static double InnerProduct(SingularFactors<T> a, SingularFactors<T> b)
    {
        var left = RealGemm.Multiply<T, T, double>(a.LeftRows.View, b.LeftRows.View.Transposed);
        var right = RealGemm.Multiply<T, T, double>(a.RightRows.View, b.RightRows.View.Transposed);
        var sum = 0.0;
        for (var i = 0; i < a.Rank; i++)
        {
            for (var j = 0; j < b.Rank; j++)
            {
                sum += a.Values[i] * b.Values[j] * left[i, j] * right[i, j];
            }
        }

        return sum;
    }
}
