using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>Typed device memory of exactly the size of its values.</summary>
internal sealed class DeviceArray<T>(ICudaDevice device, int count) : IDisposable
    where T : unmanaged
{
    private readonly IDeviceMemory _memory = device.Allocate((long)count * Unsafe.SizeOf<T>());

    public DevicePointer Pointer => _memory.Pointer;

    public DeviceArray(ICudaDevice device, ReadOnlySpan<T> values)
        : this(device, values.Length) => device.Write(Pointer, MemoryMarshal.AsBytes(values));

    /// <summary>Sets every byte.</summary>
    public void Fill(byte value)
    {
        var bytes = new byte[_memory.Bytes];
        bytes.AsSpan().Fill(value);
        device.Write(Pointer, bytes);
    }

    public T[] Read()
    {
        var values = new T[count];
        device.Read(Pointer, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public void Dispose() => _memory.Dispose();
}
