using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Tests.Compensation;

internal static class ResidualRows
{
    /// <summary>Adds whole rows: their energies, and their part of P, in FP64 where P is: what is tested is what follows from it.</summary>
    public static void Add(this OutputResidual residual, Matrix smoothed, Matrix target, Matrix output)
    {
        var error = new Matrix(target.Rows, target.Columns);
        for (var i = 0; i < error.Span.Length; i++)
        {
            error.Data[i] = target.Data[i] - output.Data[i];
        }

        var (signal, noise) = Sqnr.Energies(target.Span, output.Span);
        residual.Add(target.Rows, signal, noise);
        if (residual is OutputResidual<double> wide)
        {
            RealGemm.Accumulate(smoothed.View().Transposed, error.View(), wide.CrossProduct.View);
            return;
        }

        residual.AddProduct(smoothed, error);
    }
}
