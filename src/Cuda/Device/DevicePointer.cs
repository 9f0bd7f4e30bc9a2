namespace MASQuant.Cuda.Device;

/// <summary>An address in a device's memory. Zero is no address.</summary>
/// <param name="Address">Bytes from the start of the device's address space.</param>
public readonly record struct DevicePointer(ulong Address)
{
    /// <summary>No memory; kernels test for it where an operand may be absent.</summary>
    public static DevicePointer Null => default;

    /// <summary>The address <paramref name="bytes"/> further on.</summary>
    public static DevicePointer operator +(DevicePointer pointer, long bytes) => new(checked(pointer.Address + (ulong)bytes));
}
