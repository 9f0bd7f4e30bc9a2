namespace MASQuant.Cuda.Device;

/// <summary>A device that runs the catalog's kernels: an NVIDIA GPU, or in tests the PTX interpreter. Work is queued in order on one stream; for one thread at a time.</summary>
public interface ICudaDevice : IDisposable
{
    /// <summary>What options and reports call it: <c>cuda:0</c>, <c>emulated</c>.</summary>
    string Name { get; }

    /// <summary>Ten times the major plus the minor compute capability: 80, 86, 89, 90.</summary>
    int ComputeCapability { get; }

    /// <summary>The number of multiprocessors; it decides into how many parts a reduction is split.</summary>
    int Multiprocessors { get; }

    /// <summary>The most shared memory that a block may ask for, in bytes.</summary>
    int SharedBytesPerBlock { get; }

    /// <summary>Allocates <paramref name="bytes"/> of device memory (at least one).</summary>
    /// <exception cref="MASQuantException">The device has too little memory; the message says how much is needed.</exception>
    IDeviceMemory Allocate(long bytes);

    /// <summary>Queues a copy from the host; <paramref name="source"/> may be reused on return.</summary>
    void Write(DevicePointer target, ReadOnlySpan<byte> source);

    /// <summary>Waits for the work queued before and copies its results to the host.</summary>
    void Read(DevicePointer source, Span<byte> target);

    /// <summary>Queues a copy on the device; the ranges do not overlap.</summary>
    void Copy(DevicePointer source, DevicePointer target, long bytes);

    /// <summary>Queues filling with zero bytes.</summary>
    void Clear(DevicePointer target, long bytes);

    /// <summary>Queues a kernel. A launch over no blocks is none.</summary>
    void Launch(in KernelLaunch launch);

    /// <summary>Records what <paramref name="work"/> queues on this device, without running it. <paramref name="work"/> allocates nothing, reads nothing back, and may be called twice, queueing the same.</summary>
    IDeviceGraph Record(Action work);

    /// <summary>Waits for all work queued.</summary>
    /// <exception cref="MASQuantException">A launch failed.</exception>
    void Synchronize();
}
