using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>Where the results of steps lie on a device.</summary>
/// <param name="Tokens">The prepared input of the layers at work.</param>
/// <param name="Stream">The residual stream, [M, H] FP32.</param>
/// <param name="Branch">What is yet to be added to it, [M, H] FP32.</param>
/// <param name="Projected">What layers give that is not added, side by side, [M, …] FP32.</param>
/// <param name="Attended">What attention, or a state, gives, [M, heads · d] FP32.</param>
/// <param name="Beside">What is made of a part of <paramref name="Projected"/> while the rest waits there: convolved columns, or queries without their gates, keys and values, [M, …] FP32.</param>
/// <param name="Ruling">What rules a state, a and b, [M, …] FP32.</param>
/// <param name="Gates">What they become, [M, 2, value heads] FP32.</param>
internal readonly record struct PassBuffers(
    DeviceTokens Tokens, DevicePointer Stream, DevicePointer Branch, DevicePointer Projected, DevicePointer Attended, DevicePointer Beside = default, DevicePointer Ruling = default, DevicePointer Gates = default);
