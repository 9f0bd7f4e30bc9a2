using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>The smaller of A·Aᵀ and AᵀA.</summary>
/// <param name="a">[m, n], column stride 1.</param>
internal sealed class MatrixGram<T>(MatrixView<T> a) : IGramOperator
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Size => Math.Min(a.Rows, a.Columns);

    public RealMatrix<double> Apply(RealMatrix<double> rows) => a.Rows <= a.Columns
        ? RowProducts.Dots(RowProducts.Sums(rows, a), a)
        : RowProducts.Sums(RowProducts.Dots(rows, a), a);
}
