using System.Numerics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>T = Lᵀ with L·Lᵀ = C.</summary>
internal sealed class CholeskyWhitening<T> : WhiteningTransform<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly TriangularFactor<T> _lower;

    public CholeskyWhitening(TriangularFactor<T> lower, double damping) => (_lower, Damping) = (lower, damping);

    public override RealMatrix<T> Apply<TB>(MatrixView<TB> b) => _lower.MultiplyTransposed(b);

    public override RealMatrix<T> Solve(RealMatrix<T> b)
    {
        _lower.SolveTransposed(b);
        return b;
    }

    public override RealMatrix<T> SolveTransposed(RealMatrix<T> b)
    {
        _lower.Solve(b);
        return b;
    }

    public override RealMatrix<double> ApplyToRows(RealMatrix<double> x) => RowProducts.Sums(x, _lower.Lower.View, lower: true);

    public override RealMatrix<double> ApplyTransposedToRows(RealMatrix<double> x) => RowProducts.Dots(x, _lower.Lower.View, lower: true);
}
