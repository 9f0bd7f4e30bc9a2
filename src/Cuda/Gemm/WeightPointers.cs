using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>A weight [N, K] on the device.</summary>
/// <param name="Format">How the codes lie.</param>
/// <param name="Outputs">N, a multiple of 16.</param>
/// <param name="Inputs">K.</param>
/// <param name="Codes">In fragment order, K padded to a multiple of 64.</param>
/// <param name="Scales">FP32: [N]; for groups [K / 128, N]; null for BF16.</param>
/// <param name="ZeroPoints">Groups: [K / 128, N] bytes; null otherwise.</param>
/// <param name="Bias">[N] FP32, or null.</param>
public readonly record struct WeightPointers(
    WeightFormat Format, int Outputs, int Inputs, DevicePointer Codes, DevicePointer Scales, DevicePointer ZeroPoints, DevicePointer Bias);
