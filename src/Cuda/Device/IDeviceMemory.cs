namespace MASQuant.Cuda.Device;

/// <summary>A block of device memory, aligned to 256 bytes; its contents are undefined until written. Disposing frees it once the work queued before has read it.</summary>
public interface IDeviceMemory : IDisposable
{
    /// <summary>Where the block starts.</summary>
    DevicePointer Pointer { get; }

    /// <summary>The size asked for.</summary>
    long Bytes { get; }
}
