using MASQuant.Cuda.Device;

namespace MASQuant.Bench.Cuda;

/// <summary>Products of the maker's library.</summary>
internal enum ProductKind
{
    /// <summary>BF16 in and out, FP32 sums.</summary>
    BFloat16,

    /// <summary>int8 in, int32 out.</summary>
    Int8,

    /// <summary>BF16 in, added to FP32.</summary>
    Accumulate,
}

/// <summary>A library whose products ours are compared with: Y[M, N] = X[M, K] · W[N, K]ᵀ, row-major.</summary>
internal interface IProductLibrary
{
    /// <summary>What figures name beside the device.</summary>
    string Name { get; }

    /// <summary>Chooses an algorithm for a product and returns what queues it for a weight, an input and an output. Null when the library has none.</summary>
    Action<DevicePointer, DevicePointer, DevicePointer>? Product(ProductKind kind, int tokens, int outputs, int inputs);
}
