namespace MASQuant.Cuda.Device;

/// <summary>Device memory that grows with what is asked for; its contents do not survive growing.</summary>
internal sealed class DeviceBuffer(ICudaDevice device) : IDisposable
{
    private IDeviceMemory? _memory;

    /// <summary>Where the memory lies; null before the first request.</summary>
    public DevicePointer Pointer => _memory?.Pointer ?? DevicePointer.Null;

    /// <summary>Makes room for <paramref name="bytes"/>; true when the memory is another one than before.</summary>
    public bool Reserve(long bytes)
    {
        if (bytes <= (_memory?.Bytes ?? 0))
        {
            return false;
        }

        _memory?.Dispose();
        _memory = null;
        _memory = device.Allocate(bytes);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory?.Dispose();
        _memory = null;
    }
}
