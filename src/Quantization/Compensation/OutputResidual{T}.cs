using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>An <see cref="OutputResidual"/> in a chosen precision.</summary>
internal sealed class OutputResidual<T> : OutputResidual
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public OutputResidual(int inputs, int outputs)
        : base(inputs, outputs)
        => CrossProduct = new RealMatrix<T>(inputs, outputs);

    /// <summary>P, [K, N].</summary>
    public RealMatrix<T> CrossProduct { get; private set; }

    /// <summary>P, to be overwritten: a copy, or P itself when nobody else will ask for it.</summary>
    public RealMatrix<T> Take(bool keeps)
    {
        var product = CrossProduct;
        CrossProduct = keeps ? product.Copy() : new RealMatrix<T>(0, 0);
        return product;
    }

    public override void Add(Matrix smoothed, Matrix target, Matrix output)
    {
        var residual = new Matrix(target.Rows, target.Columns);
        var (wanted, got, difference) = (target.Data, output.Data, residual.Data);
        var energy = 0.0;
        for (var i = 0; i < residual.Span.Length; i++)
        {
            difference[i] = wanted[i] - got[i];
            energy += (double)difference[i] * difference[i];
        }

        RealGemm.Accumulate(smoothed.View().Transposed, residual.View(), CrossProduct.View);
        Energy += energy;
        Tokens += smoothed.Rows;
    }
}
