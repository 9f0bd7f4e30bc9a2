using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>A device that hands everything on to another; what is derived from it looks at some of it.</summary>
public abstract class ForwardingDevice(ICudaDevice device) : ICudaDevice
{
    public string Name => device.Name;

    public int ComputeCapability => device.ComputeCapability;

    public int Multiprocessors => device.Multiprocessors;

    public int SharedBytesPerBlock => device.SharedBytesPerBlock;

    public virtual IDeviceMemory Allocate(long bytes) => device.Allocate(bytes);

    public virtual void Write(DevicePointer target, ReadOnlySpan<byte> source) => device.Write(target, source);

    public virtual void Read(DevicePointer source, Span<byte> target) => device.Read(source, target);

    public void Copy(DevicePointer source, DevicePointer target, long bytes) => device.Copy(source, target, bytes);

    public void Clear(DevicePointer target, long bytes) => device.Clear(target, bytes);

    public virtual void Launch(in KernelLaunch launch) => device.Launch(launch);

    public virtual IDeviceGraph Record(Action work) => device.Record(work);

    public void Synchronize() => device.Synchronize();

    public virtual void Dispose()
    {
        device.Dispose();
        GC.SuppressFinalize(this);
    }
}
