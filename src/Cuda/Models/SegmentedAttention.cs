using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>Attention of a tower: rows of one segment see all of it and nothing else.</summary>
/// <param name="device">Where everything lies.</param>
/// <param name="operands">Room for queries, keys and values in the kernels' order.</param>
/// <param name="angles">Cosines then sines, [M, d/2] FP32 each; null: nothing is rotated.</param>
/// <param name="windows">The tiles of windows.</param>
/// <param name="frames">The tiles of frames.</param>
internal sealed class SegmentedAttention(ICudaDevice device, TowerHeads operands, DevicePointer angles, SegmentTiles windows, SegmentTiles frames) : IDeviceAttention
{
    /// <inheritdoc/>
    public void Queue(AttendStep step, bool rotates, DevicePointer qkv, long stride, int rows, DevicePointer output)
    {
        var segments = step.Span == AttentionSpan.Frame ? frames : windows;
        device.Launch(TowerKernels.Split(qkv, stride, step.Heads, step.HeadSize, rotates ? angles : DevicePointer.Null, rows, operands));
        device.Launch(TowerKernels.Attend(operands, step.Heads, step.HeadSize, segments.Tiles, segments.Count, output));
    }
}
