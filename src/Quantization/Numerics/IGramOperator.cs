namespace MASQuant.Quantization.Numerics;

/// <summary>A symmetric positive semidefinite matrix G = AᵀA that is never formed: it is known by what it does to vectors. The roots of its eigenvalues are the singular values of A.</summary>
internal interface IGramOperator
{
    /// <summary>n, the number of singular values: A's smaller extent.</summary>
    int Size { get; }

    /// <summary>X·G, [p, n].</summary>
    /// <param name="rows">X, [p, n].</param>
    RealMatrix<double> Apply(RealMatrix<double> rows);
}
