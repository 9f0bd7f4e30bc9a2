namespace MASQuant.Cuda.Driver;

/// <summary>A block of device memory as the driver gave it.</summary>
internal sealed unsafe class DeviceBlock(PrimaryContext context, ulong address, long bytes) : ContextHandle(context, (nint)address)
{
    public long Bytes => bytes;

    protected override int Free() => Driver.MemFree((ulong)handle);
}
