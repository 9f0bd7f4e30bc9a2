using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>Where the device reads how many tokens there are, so that a recording can be replayed.</summary>
/// <param name="Step">32 bits each: the first row that is wanted, and how many rows are tokens of the one sequence.</param>
/// <param name="Cached">How many tokens each sequence has behind it, 32 bits each.</param>
public readonly record struct StepCounts(DevicePointer Step, DevicePointer Cached);
