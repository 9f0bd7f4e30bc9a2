using MASQuant.Gemm.Cuda;

namespace MASQuant.Bench.Cuda;

/// <summary>A device that remembers, as a hash, all that is read back from it. It is not its device's owner.</summary>
internal sealed class RecordingDevice(ICudaDevice device) : ICudaDevice
{
    private HashCode _read; // No cryptography: it would ask for a library that a GPU machine may lack.

    public string Name => device.Name;

    public int ComputeCapability => device.ComputeCapability;

    public int Multiprocessors => device.Multiprocessors;

    public int SharedBytesPerBlock => device.SharedBytesPerBlock;

    /// <summary>The hash, which tells runs of one process apart.</summary>
    public int ReadSoFar => _read.ToHashCode();

    public IDeviceMemory Allocate(long bytes) => device.Allocate(bytes);

    public void Write(DevicePointer target, ReadOnlySpan<byte> source) => device.Write(target, source);

    public void Read(DevicePointer source, Span<byte> target)
    {
        device.Read(source, target);
        _read.AddBytes(target);
    }

    public void Copy(DevicePointer source, DevicePointer target, long bytes) => device.Copy(source, target, bytes);

    public void Clear(DevicePointer target, long bytes) => device.Clear(target, bytes);

    public void Launch(in KernelLaunch launch) => device.Launch(launch);

    public IDeviceGraph Record(Action work) => device.Record(work);

    public void Synchronize() => device.Synchronize();

    public void Dispose()
    {
    }
}
