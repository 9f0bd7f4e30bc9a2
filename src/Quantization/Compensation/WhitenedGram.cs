using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>The smaller Gram matrix of T·ΔWᵀ, [K, N], without that product.</summary>
/// <param name="whitening">T.</param>
/// <param name="residual">ΔW, [N, K].</param>
internal sealed class WhitenedGram<T>(WhiteningTransform<T> whitening, Matrix residual) : IGramOperator
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Size => Math.Min(residual.Rows, residual.Columns);

    public RealMatrix<double> Apply(RealMatrix<double> rows)
    {
        var weight = residual.View();
        if (residual.Rows <= residual.Columns)
        {
            return RowProducts.Dots(whitening.ApplyTransposedToRows(whitening.ApplyToRows(RowProducts.Sums(rows, weight))), weight);
        }

        return whitening.ApplyToRows(RowProducts.Sums(RowProducts.Dots(whitening.ApplyTransposedToRows(rows), weight), weight));
    }
}
