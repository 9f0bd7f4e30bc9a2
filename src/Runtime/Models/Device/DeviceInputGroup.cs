using MASQuant.Gemm.Cuda;

namespace MASQuant.Models.Device;

/// <summary>The layers of an input group on a device, side by side, and what smooths their input.</summary>
internal sealed record DeviceInputGroup(DeviceWeight Weight, DeviceSmoothing Smoothing);
