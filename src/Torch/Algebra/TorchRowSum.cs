using System.Numerics;
using MASQuant.Quantization.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>Σ AᵀB: products of FP32 rows in FP32, their sum in the precision of the total. On the processor it is summed right into the total, elsewhere on the device until <see cref="Finish"/>.</summary>
internal sealed class TorchRowSum<T>(Device device, RealMatrix<T> total, bool lowerOnly) : RowSum<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private Tensor? _sum;

    public override void Add(Matrix a, Matrix b)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var left = TorchMatrix.Copy(a.View(), device);
        var right = ReferenceEquals(a, b) ? left : TorchMatrix.Copy(b.View(), device);
        TorchProducts.Accumulate(left.t(), right, _sum ?? Begin(), lowerOnly: lowerOnly);
    }

    public override void Finish()
    {
        if (_sum is { } sum && device.type != DeviceType.CPU)
        {
            using var target = TorchMatrix.Shared(total);
            using var here = sum.cpu();
            target.Increase(here);
        }

        _sum?.Dispose();
        _sum = null;
    }

    private Tensor Begin()
    {
        _sum = device.type == DeviceType.CPU ? TorchMatrix.Shared(total) : zeros([total.Rows, total.Columns], TorchMatrix.TypeOf<T>(), device);
        return _sum.DetachFromDisposeScope();
    }
}
