using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Tests.Bench;

/// <summary>Runs nothing, reads zeros, and remembers which kernels it was asked for.</summary>
internal sealed class BlankDevice(int computeCapability) : ICudaDevice
{
    private ulong _next = 256;

    public HashSet<Kernel> Launched { get; } = [];

    public string Name => "blank";

    public int ComputeCapability => computeCapability;

    public int Multiprocessors => 4;

    public int SharedBytesPerBlock => 227 * 1024;

    public IDeviceMemory Allocate(long bytes) => new Memory(new DevicePointer(_next += (ulong)bytes + 256), bytes);

    public void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
    }

    public void Read(DevicePointer source, Span<byte> target) => target.Clear();

    public void Copy(DevicePointer source, DevicePointer target, long bytes)
    {
    }

    public void Clear(DevicePointer target, long bytes)
    {
    }

    public void Launch(in KernelLaunch launch) => Launched.Add(launch.Kernel);

    public IDeviceGraph Record(Action work)
    {
        work();
        return new Nothing();
    }

    public void Synchronize()
    {
    }

    public void Dispose()
    {
    }

    private sealed class Memory(DevicePointer pointer, long bytes) : IDeviceMemory
    {
        public DevicePointer Pointer => pointer;

        public long Bytes => bytes;

        public void Dispose()
        {
        }
    }

    private sealed class Nothing : IDeviceGraph
    {
        public void Launch()
        {
        }

        public void Dispose()
        {
        }
    }
}
