using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>Layers that share their input on a device, side by side, and what smooths it.</summary>
/// <param name="Weight">The layers.</param>
/// <param name="Smoothing">What smooths their input; null: nothing.</param>
public sealed record DeviceInputGroup(DeviceWeight Weight, DeviceSmoothing? Smoothing = null)
{
    /// <summary>The factors for tokens of these modalities.</summary>
    public TokenSmoothing SmoothingFor(DevicePointer modalities) => Smoothing?.For(modalities) ?? default;
}
