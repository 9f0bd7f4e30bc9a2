using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compute;

/// <summary>Where the heavy steps of quantization are computed. <see cref="ManagedCompute"/> defines the results; another implementation equals it within rounding, and itself to the bit.</summary>
public interface ICompute : IRowSums, IDisposable
{
    /// <summary>A = L·Lᵀ of the whitening, of error feedback and of regressions.</summary>
    /// <param name="a">[K, K], of which the lower triangle counts; taken over. Where there is no factor the lower triangle is worthless and the upper one as it was.</param>
    /// <returns>Null when a pivot is not above rounding noise (K·ε of its diagonal entry).</returns>
    TriangularFactor<T>? TryFactor<T>(RealMatrix<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>The leading singular triples of a whitened residual.</summary>
    /// <param name="a">[m, n].</param>
    /// <param name="rank">How many, at most min(m, n).</param>
    /// <param name="options">How accurate, where that is a choice.</param>
    SingularFactors<T> Decompose<T>(MatrixView<T> a, int rank, RandomizedSvdOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}
