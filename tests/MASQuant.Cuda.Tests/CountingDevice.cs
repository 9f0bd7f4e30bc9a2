using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Tests;

/// <summary>A device that counts what passes the seam.</summary>
internal sealed class CountingDevice(ICudaDevice device) : ForwardingDevice(device)
{
    public long WrittenBytes { get; private set; }

    public long ReadBytes { get; private set; }

    public long LentBytes { get; private set; }

    public long PeakBytes { get; set; }

    public int Allocations { get; private set; }

    public int Recordings { get; private set; }

    public int Launches { get; private set; }

    public override IDeviceMemory Allocate(long bytes)
    {
        Allocations++;
        LentBytes += bytes;
        PeakBytes = Math.Max(PeakBytes, LentBytes);
        return new Memory(this, base.Allocate(bytes));
    }

    public override void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
        WrittenBytes += source.Length;
        base.Write(target, source);
    }

    public override void Read(DevicePointer source, Span<byte> target)
    {
        ReadBytes += target.Length;
        base.Read(source, target);
    }

    public override void Launch(in KernelLaunch launch)
    {
        Launches++;
        base.Launch(launch);
    }

    public override IDeviceGraph Record(Action work)
    {
        Recordings++;
        var allocations = Allocations;
        var graph = base.Record(work);
        Assert.Equal(allocations, Allocations);
        return graph;
    }

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
