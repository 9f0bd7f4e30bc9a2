using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>The layers of an input group on a device, side by side, and what smooths their input.</summary>
public sealed record DeviceInputGroup(DeviceWeight Weight, DeviceSmoothing Smoothing);
