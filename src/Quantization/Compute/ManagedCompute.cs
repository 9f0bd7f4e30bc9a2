using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compute;

/// <summary>The processor, by this product's own code: the same bytes on any machine, for any number of threads.</summary>
public sealed class ManagedCompute : ICompute
{
    private ManagedCompute()
    {
    }

    /// <summary>The only one; it holds nothing.</summary>
    public static ManagedCompute Instance { get; } = new();

    /// <inheritdoc/>
    public RowSum<T> SumInto<T>(RealMatrix<T> total, bool lowerOnly)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => ManagedRowSums.Instance.SumInto(total, lowerOnly);

    /// <inheritdoc/>
    public TriangularFactor<T>? TryFactor<T>(RealMatrix<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Cholesky.TryFactor(a) ? new ManagedFactor<T>(a) : null;

    /// <inheritdoc/>
    public SingularFactors<T> Decompose<T>(MatrixView<T> a, int rank, RandomizedSvdOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => TruncatedSvd.Decompose(a, rank, options);

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
