using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>T = Lᵀ with L·Lᵀ = C.</summary>
internal sealed class CholeskyWhitening<T> : WhiteningTransform<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RealMatrix<T> _lower;

    public CholeskyWhitening(RealMatrix<T> lower, double damping) => (_lower, Damping) = (lower, damping);

    public override RealMatrix<T> Apply<TB>(MatrixView<TB> b) => RealGemm.Multiply<T, TB, T>(_lower.View.Transposed, b);

    public override RealMatrix<T> Solve(RealMatrix<T> b)
    {
        TriangularSolve.LowerTransposed(_lower, b);
        return b;
    }

    public override RealMatrix<T> SolveTransposed(RealMatrix<T> b)
    {
        TriangularSolve.Lower(_lower, b);
        return b;
    }

    public override RealMatrix<double> ApplyToRows(RealMatrix<double> x) => RowProducts.Sums(x, _lower.View, lower: true);

    public override RealMatrix<double> ApplyTransposedToRows(RealMatrix<double> x) => RowProducts.Dots(x, _lower.View, lower: true);
}
