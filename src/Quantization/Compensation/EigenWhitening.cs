using System.Numerics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>T = Λ^½·Pᵀ with P·Λ·Pᵀ = C (paper, Eq. 24), for matrices that rounding has left without a Cholesky factor. Eigenvalues in the noise are raised to it.</summary>
internal sealed class EigenWhitening<T> : WhiteningTransform<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RealMatrix<T> _vectorRows;
    private readonly T[] _roots;

    public EigenWhitening(GramMatrix<T> gram, double damping)
    {
        var matrix = RealMatrix<double>.From(gram.Lower.View);
        DampedFactor.AddToDiagonal(matrix, damping);
        var eigen = SymmetricEigen.Decompose(matrix, vectors: true);
        var epsilon = double.CreateTruncating(T.BitIncrement(T.One) - T.One);
        var noise = Math.Max(eigen.Values[^1], double.Epsilon) * gram.Inputs * epsilon;
        Damping = damping;
        _vectorRows = RealMatrix<T>.From(eigen.VectorRows!.View);
        _roots = [.. eigen.Values.Select(value => T.CreateTruncating(Math.Sqrt(Math.Max(value, noise))))];
    }

    public override RealMatrix<T> Apply<TB>(MatrixView<TB> b)
    {
        var product = RealGemm.Multiply<T, TB, T>(_vectorRows.View, b);
        for (var i = 0; i < product.Rows; i++)
        {
            Lanes.Scale(_roots[i], product.Row(i));
        }

        return product;
    }

    public override RealMatrix<T> Solve(RealMatrix<T> b)
    {
        DivideRows(b);
        return RealGemm.Multiply<T, T, T>(_vectorRows.View.Transposed, b.View);
    }

    public override RealMatrix<T> SolveTransposed(RealMatrix<T> b)
    {
        var product = RealGemm.Multiply<T, T, T>(_vectorRows.View, b.View);
        DivideRows(product);
        return product;
    }

    public override RealMatrix<double> ApplyToRows(RealMatrix<double> x)
    {
        var product = RowProducts.Dots(x, _vectorRows.View);
        MultiplyColumns(product);
        return product;
    }

    public override RealMatrix<double> ApplyTransposedToRows(RealMatrix<double> x)
    {
        var scaled = x.Copy();
        MultiplyColumns(scaled);
        return RowProducts.Sums(scaled, _vectorRows.View);
    }

    private void MultiplyColumns(RealMatrix<double> x)
    {
        for (var i = 0; i < x.Rows; i++)
        {
            for (var k = 0; k < x.Columns; k++)
            {
                x[i, k] *= double.CreateTruncating(_roots[k]);
            }
        }
    }

    private void DivideRows(RealMatrix<T> b)
    {
        for (var i = 0; i < b.Rows; i++)
        {
            Lanes.Scale(T.One / _roots[i], b.Row(i));
        }
    }
}
