using MASQuant.Cuda.Device;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>Queues a block's attention: what it reads beside queries, keys and values are positions, and which rows see each other.</summary>
internal interface IDeviceAttention
{
    /// <summary>softmax(Q·Kᵀ/√d)·V.</summary>
    /// <param name="step">Heads, and which rows a query sees.</param>
    /// <param name="rotates">Whether queries and keys are rotated first.</param>
    /// <param name="qkv">[M, stride] FP32: queries, keys, values.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="rows">M.</param>
    /// <param name="output">[M, heads · d] FP32.</param>
    void Queue(AttendStep step, bool rotates, DevicePointer qkv, long stride, int rows, DevicePointer output);
}
