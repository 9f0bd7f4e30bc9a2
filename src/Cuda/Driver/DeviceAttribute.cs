namespace MASQuant.Cuda.Driver;

/// <summary>What a device is asked for, in the driver's numbers (<c>CUdevice_attribute</c>).</summary>
internal enum DeviceAttribute
{
    Multiprocessors = 16,
    L2CacheBytes = 38,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    SharedBytesPerBlock = 97, // With cuFuncSetAttribute; 48 KiB without.
}
