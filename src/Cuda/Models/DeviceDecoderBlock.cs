using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>One decoder block on a device.</summary>
/// <param name="InputNorm">The gain before attention, H values.</param>
/// <param name="PostAttentionNorm">The gain before the MLP, H values.</param>
/// <param name="Qkv">Queries, keys, values.</param>
/// <param name="O">The projection after attention.</param>
/// <param name="GateUp">Gate, then up.</param>
/// <param name="Down">The projection back.</param>
public sealed record DeviceDecoderBlock(DeviceSlot InputNorm, DeviceSlot PostAttentionNorm, DeviceInputGroup Qkv, DeviceInputGroup O, DeviceInputGroup GateUp, DeviceInputGroup Down)
{
    /// <summary>The four groups.</summary>
    public IEnumerable<DeviceInputGroup> Groups => [Qkv, O, GateUp, Down];
}
