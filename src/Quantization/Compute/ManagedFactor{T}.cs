using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compute;

/// <summary>A <see cref="TriangularFactor{T}"/> in managed memory.</summary>
internal sealed class ManagedFactor<T>(RealMatrix<T> lower) : TriangularFactor<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override RealMatrix<T> Lower => lower;

    public override RealMatrix<T> MultiplyTransposed<TB>(MatrixView<TB> b) => RealGemm.Multiply<T, TB, T>(lower.View.Transposed, b);

    public override void Solve(RealMatrix<T> b) => TriangularSolve.Lower(lower, b);

    public override void SolveTransposed(RealMatrix<T> b) => TriangularSolve.LowerTransposed(lower, b);
}
