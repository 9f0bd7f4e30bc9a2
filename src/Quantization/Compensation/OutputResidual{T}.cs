using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>An <see cref="OutputResidual"/> in a chosen precision.</summary>
internal sealed class OutputResidual<T> : OutputResidual
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RowSum<T>? _sum;

    public OutputResidual(int inputs, int outputs, bool keepsProduct, IRowSums? sums = null)
        : base(inputs, outputs)
    {
        CrossProduct = keepsProduct ? new RealMatrix<T>(inputs, outputs) : new RealMatrix<T>(0, 0);
        _sum = keepsProduct ? (sums ?? ManagedRowSums.Instance).SumInto(CrossProduct, lowerOnly: false) : null;
    }

    /// <summary>P, [K, N]; empty where it is not kept.</summary>
    public RealMatrix<T> CrossProduct { get; }

    public override void AddProduct(Matrix smoothed, Matrix error) => _sum?.Add(smoothed, error);

    public override void Finish() => _sum?.Finish();
}
