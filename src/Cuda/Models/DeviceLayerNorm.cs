using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Audio;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>A layer norm of the audio tower on a device.</summary>
/// <param name="Gain">K values.</param>
/// <param name="Bias">K values.</param>
/// <param name="Inputs">K.</param>
internal sealed record DeviceLayerNorm(DeviceSlot Gain, DeviceSlot Bias, int Inputs)
{
    /// <summary>Adds <c>NAME.weight</c> and <c>NAME.bias</c> to an upload.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DeviceLayerNorm Add(DeviceUpload upload, ITensorSource source, string name, int inputs)
        => new(upload.Add<float>(source.ReadFloats(name + ".weight", inputs)), upload.Add<float>(source.ReadFloats(name + ".bias", inputs)), inputs);

    /// <summary>hidden += branch (unless null), in place; the norm of its rows becomes the input of the next layer.</summary>
    public void Prepare(ICudaDevice device, TowerWorkspace workspace, DevicePointer hidden, DevicePointer branch, int rows)
    {
        workspace.Tokens.Reset(rows, Inputs, DevicePointer.Null);
        device.Launch(TowerKernels.LayerNorm(hidden, branch, Gain.Pointer, Bias.Pointer, AudioTowerNorm.Epsilon, rows, Inputs, workspace.Tokens.Smoothed.Rows));
    }
}
