using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>Where the results of steps lie on a device.</summary>
/// <param name="Tokens">The prepared input of the layers at work.</param>
/// <param name="Stream">The residual stream, [M, H] FP32.</param>
/// <param name="Branch">What is yet to be added to it, [M, H] FP32.</param>
/// <param name="Projected">What layers give that is not added, side by side, [M, …] FP32.</param>
/// <param name="Attended">What attention gives, [M, heads · d] FP32.</param>
internal readonly record struct PassBuffers(DeviceTokens Tokens, DevicePointer Stream, DevicePointer Branch, DevicePointer Projected, DevicePointer Attended);
