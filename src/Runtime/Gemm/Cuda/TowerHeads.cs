namespace MASQuant.Gemm.Cuda;

/// <summary>The operands of a tower's attention, [M, heads · padded d] each.</summary>
/// <param name="Queries">FP32.</param>
/// <param name="Keys">BF16.</param>
/// <param name="Values">BF16.</param>
internal readonly record struct TowerHeads(DevicePointer Queries, DevicePointer Keys, DevicePointer Values);
