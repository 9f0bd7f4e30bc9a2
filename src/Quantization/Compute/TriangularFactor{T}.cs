using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compute;

/// <summary>L of A = L·Lᵀ, wherever it lies.</summary>
public abstract class TriangularFactor<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>L, [K, K], its upper triangle zero.</summary>
    public abstract RealMatrix<T> Lower { get; }

    /// <summary>Lᵀ·B as a new matrix.</summary>
    /// <param name="b">[K, n].</param>
    public abstract RealMatrix<T> MultiplyTransposed<TB>(MatrixView<TB> b)
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>;

    /// <summary>B ← L⁻¹·B.</summary>
    /// <param name="b">[K, n].</param>
    public abstract void Solve(RealMatrix<T> b);

    /// <summary>B ← L⁻ᵀ·B.</summary>
    /// <param name="b">[K, n].</param>
    public abstract void SolveTransposed(RealMatrix<T> b);
}
