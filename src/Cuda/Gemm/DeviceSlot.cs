using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>A place in device memory that a <see cref="DeviceUpload"/> has yet to find, or has found.</summary>
public sealed class DeviceSlot
{
    /// <summary>No memory.</summary>
    public static DeviceSlot None { get; } = new();

    /// <summary>Where the values lie, once the upload has run; null for none.</summary>
    public DevicePointer Pointer { get; internal set; }
}
