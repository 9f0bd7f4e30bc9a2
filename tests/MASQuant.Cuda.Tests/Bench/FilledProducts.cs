using MASQuant.Bench.Cuda;
using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Tests.Bench;

/// <summary>Stands in for the maker's library: touches every byte of its operands, so that a buffer of another size is found out. It has no algorithm for INT8 of one token.</summary>
internal sealed class FilledProducts(ICudaDevice device) : IProductLibrary
{
    public string Name => "stand-in";

    public Action<DevicePointer, DevicePointer, DevicePointer>? Product(ProductKind kind, int tokens, int outputs, int inputs)
    {
        var (element, result) = kind switch { ProductKind.Int8 => (1, 4), ProductKind.BFloat16 => (2, 2), _ => (2, 4) };
        return kind == ProductKind.Int8 && tokens == 1 ? null : (weight, x, y) =>
        {
            device.Clear(weight, (long)outputs * inputs * element);
            device.Clear(x, (long)tokens * inputs * element);
            device.Clear(y, (long)tokens * outputs * result);
        };
    }
}
