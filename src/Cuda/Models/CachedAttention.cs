using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>Causal attention of a block over a cache, to which the rows' keys and values are added.</summary>
/// <param name="device">Where everything lies.</param>
/// <param name="workspace">Holds positions, and parts of results.</param>
/// <param name="cache">Keys and values.</param>
/// <param name="layer">The block's number, from 0.</param>
/// <param name="rotated">How many of a head's values are rotated.</param>
/// <param name="parts">Into how many parts one token's keys are divided; 0: not at all, the tokens are of one sequence. Otherwise each is of its own.</param>
internal sealed class CachedAttention(ICudaDevice device, DeviceWorkspace workspace, DeviceKvCache cache, int layer, int rotated, int parts) : IDeviceAttention
{
    /// <inheritdoc/>
    public void Queue(AttendStep step, bool rotates, DevicePointer qkv, long stride, int rows, DevicePointer output)
    {
        var heads = new HeadShape(step.Heads, step.KeyValueHeads, step.HeadSize) { Rotated = rotated };
        var (keys, values, cached) = (cache.Keys(layer), cache.Values(layer), workspace.Step + DeviceWorkspace.CachedStart);
        var cosines = workspace.Step + DeviceWorkspace.AnglesStart;
        device.Launch(DecoderKernels.RotateAppend(
            qkv, stride, heads, cosines, cosines + ((long)rows * heads.Rotated / 2 * sizeof(float)), cached, keys, values, rows, parts > 0 ? cache.SequenceValues : 0));
        if (parts > 0)
        {
            device.Launch(DecoderKernels.AttendOne(qkv, stride, heads, keys, values, cache.SequenceValues, cached, workspace.Parts, parts, rows));
            device.Launch(DecoderKernels.Merge(workspace.Parts, cached, parts, heads, output, rows));
        }
        else
        {
            device.Launch(DecoderKernels.Attend(qkv, stride, heads, keys, values, cached, output, rows));
        }
    }
}
