using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>An <see cref="OutputResidual"/> in a chosen precision.</summary>
internal sealed class OutputResidual<T>(int inputs, int outputs, bool keepsProduct) : OutputResidual(inputs, outputs)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>P, [K, N]; empty where it is not kept.</summary>
    public RealMatrix<T> CrossProduct { get; } = keepsProduct ? new RealMatrix<T>(inputs, outputs) : new RealMatrix<T>(0, 0);

    public override void AddProduct(Matrix smoothed, Matrix error)
    {
        if (CrossProduct.Rows > 0)
        {
            RealGemm.AddRows(smoothed.View(), error.View(), CrossProduct.View);
        }
    }
}
