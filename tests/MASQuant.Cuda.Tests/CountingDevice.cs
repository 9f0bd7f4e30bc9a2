using MASQuant.Gemm.Cuda;

namespace MASQuant.Tests;

/// <summary>A device that counts what passes the seam.</summary>
internal sealed class CountingDevice(ICudaDevice device) : ICudaDevice
{
    public long WrittenBytes { get; private set; }

    public long ReadBytes { get; private set; }

    public long LentBytes { get; private set; }

    public long PeakBytes { get; set; }

    public int Allocations { get; private set; }

    public int Recordings { get; private set; }

    public int Launches { get; private set; }

    public string Name => device.Name;

    public int ComputeCapability => device.ComputeCapability;

    public int Multiprocessors => device.Multiprocessors;

    public int SharedBytesPerBlock => device.SharedBytesPerBlock;

    public IDeviceMemory Allocate(long bytes)
    {
        Allocations++;
        LentBytes += bytes;
        PeakBytes = Math.Max(PeakBytes, LentBytes);
        return new Memory(this, device.Allocate(bytes));
    }

    public void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
        WrittenBytes += source.Length;
        device.Write(target, source);
    }

    public void Read(DevicePointer source, Span<byte> target)
    {
        ReadBytes += target.Length;
        device.Read(source, target);
    }

    public void Copy(DevicePointer source, DevicePointer target, long bytes) => device.Copy(source, target, bytes);

    public void Clear(DevicePointer target, long bytes) => device.Clear(target, bytes);

    public void Launch(in KernelLaunch launch)
    {
        Launches++;
        device.Launch(launch);
    }

    public IDeviceGraph Record(Action work)
    {
        Recordings++;
        var allocations = Allocations;
        var graph = device.Record(work);
        Assert.Equal(allocations, Allocations);
        return graph;
    }

    public void Synchronize() => device.Synchronize();

    public void Dispose() => device.Dispose();

    private sealed class Memory(CountingDevice owner, IDeviceMemory memory) : IDeviceMemory
    {
        private bool _freed;

        public DevicePointer Pointer => memory.Pointer;

        public long Bytes => memory.Bytes;

        public void Dispose()
        {
            owner.LentBytes -= _freed ? 0 : Bytes;
            _freed = true;
            memory.Dispose();
        }
    }
}
