using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>The low-rank branch of a launch; the default value is none.</summary>
/// <param name="Table">[layers] <see cref="PatchRecord"/>, by rising first panel.</param>
/// <param name="Layers">Layers whose outputs lie side by side in the launch.</param>
/// <param name="Projected">T [M, stride] BF16, as <see cref="GemmKernels.Project"/> writes it.</param>
/// <param name="Stride">Values from row to row of T, a multiple of 16.</param>
public readonly record struct PatchPointers(DevicePointer Table, int Layers, DevicePointer Projected, int Stride);
