using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>The operands of a tower's attention, [M, heads · padded d] each.</summary>
/// <param name="Queries">FP32.</param>
/// <param name="Keys">BF16.</param>
/// <param name="Values">BF16.</param>
public readonly record struct TowerHeads(DevicePointer Queries, DevicePointer Keys, DevicePointer Values);
