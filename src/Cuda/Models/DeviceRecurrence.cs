using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>Queues the steps of a block that carry something from token to token in place of keys and values.</summary>
/// <param name="device">Where everything lies.</param>
/// <param name="counts">How many tokens there are.</param>
/// <param name="states">What the tokens before have left.</param>
/// <param name="layer">The block's number, from 0.</param>
/// <param name="apart">Whether each row is of a sequence of its own.</param>
internal sealed class DeviceRecurrence(ICudaDevice device, StepCounts counts, DeviceStates states, int layer, bool apart)
{
    /// <summary>Convolves the first columns of x [M, stride] into [M, C].</summary>
    public void Convolve(ConvolveStep step, DevicePointer x, long stride, DevicePointer weights, int rows, DevicePointer output)
        => device.Launch(StateKernels.Convolve(step, x, stride, weights, counts, states.Window(layer), apart, output, rows));

    /// <summary>The gated delta rule.</summary>
    /// <param name="step">Heads and their widths.</param>
    /// <param name="x">[M, C], changed in place.</param>
    /// <param name="ab">[M, stride].</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="parameters">A, and what is added to a.</param>
    /// <param name="gates">[M, 2, value heads], overwritten.</param>
    /// <param name="rows">M.</param>
    /// <param name="output">[M, value heads · d_v].</param>
    public void ApplyDeltaRule(DeltaRuleStep step, DevicePointer x, DevicePointer ab, int stride, (DeviceSlot Decay, DeviceSlot Offset) parameters, DevicePointer gates, int rows, DevicePointer output)
    {
        var channels = (2L * step.KeyHeads * step.KeySize) + ((long)step.ValueHeads * step.ValueSize);
        device.Launch(StateKernels.DeltaInputs(step, x, channels, ab, stride, parameters.Decay.Pointer, parameters.Offset.Pointer, gates, rows));
        device.Launch(StateKernels.DeltaRule(step, x, channels, gates, counts, states.State(layer), apart, output, rows));
    }
}
