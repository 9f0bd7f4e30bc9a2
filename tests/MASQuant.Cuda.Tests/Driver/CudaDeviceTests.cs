using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Tests.Driver;

/// <summary>The device on a driver that keeps books: every error is named, everything is freed once, nothing is called afterwards.</summary>
public sealed class CudaDeviceTests : IDisposable
{
    // Any resource serves: the fake driver compiles nothing.
    private static readonly Kernel Large = new(new KernelModule("prepare.sm80.ptx", 80), "large", 256, MaxSharedBytes: 100_000);
    private static readonly Kernel Small = new(Large.Module, "small", 128, MaxSharedBytes: 48 * 1024);

    public CudaDeviceTests() => FakeDriver.Reset();

    public void Dispose() => Assert.Empty(FakeDriver.Wrong);

    [Theory]
    [InlineData("cuInit", 0)]
    [InlineData("cuDeviceGetCount", 0)]
    [InlineData("cuDeviceGet", 0)]
    [InlineData("cuDeviceGetName", 0)]
    [InlineData("cuDeviceGetAttribute", 0)]
    [InlineData("cuDevicePrimaryCtxRetain", 0)]
    [InlineData("cuStreamCreate", 0)]
    [InlineData("cuMemHostAlloc", 0)]
    [InlineData("cuEventCreate", 0)]
    [InlineData("cuMemAlloc", 1)]
    [InlineData("cuMemcpyHtoDAsync", 1)]
    [InlineData("cuMemcpyDtoHAsync", 1)]
    [InlineData("cuMemcpyDtoDAsync", 1)]
    [InlineData("cuMemsetD8Async", 1)]
    [InlineData("cuModuleGetFunction", 1)]
    [InlineData("cuFuncSetAttribute 8 100000", 1)]
    [InlineData("cuLaunchKernel", 1)]
    [InlineData("cuStreamBeginCapture", 1)]
    [InlineData("cuStreamEndCapture", 1)]
    [InlineData("cuGraphInstantiateWithFlags", 1)]
    [InlineData("cuGraphDestroy", 1)]
    [InlineData("cuGraphLaunch", 1)]
    [InlineData("cuStreamSynchronize", 1)]
    [InlineData("cuEventRecord", 1)]
    [InlineData("cuEventSynchronize", 1)]
    public void Every_failure_is_named_and_leaves_nothing(string function, int afterOpening)
    {
        if (afterOpening == 0)
        {
            FakeDriver.Fail(function, FakeDriver.IllegalAddress);
        }

        var error = Assert.Throws<MASQuantException>(() =>
        {
            using var device = FakeDriver.Open();
            FakeDriver.Fail(function, FakeDriver.IllegalAddress);
            UseEverything(device);
        });
        Assert.Equal(DiagnosticCodes.DriverCallFailed, error.Code);
        Assert.Contains($"answered {function.Split(' ')[0]} with CUDA_ERROR_700 (what 700 means).", error.Message);
        Assert.Empty(FakeDriver.Leaked);
    }

    [Fact]
    public void Everything_is_freed_once_and_nothing_is_called_afterwards()
    {
        var device = FakeDriver.Open();
        UseEverything(device);
        var kept = device.Allocate(1000);
        var graph = device.Record(() => device.Clear(kept.Pointer, 1000));
        device.Dispose();
        device.Dispose();
        Assert.NotEmpty(FakeDriver.Leaked); // What is lent keeps the context.
        kept.Dispose();
        kept.Dispose();
        graph.Dispose();
        Assert.Empty(FakeDriver.Leaked);
        Assert.Equal("cuDevicePrimaryCtxRelease", FakeDriver.Calls[^1]);

        var calls = FakeDriver.Calls.Count;
        Assert.Throws<ObjectDisposedException>(() => device.Allocate(1));
        Assert.Throws<ObjectDisposedException>(() => device.Write(default, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => device.Read(default, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => device.Launch(new KernelLaunch(Small, new GridSize(1), 0, default)));
        Assert.Throws<ObjectDisposedException>(() => device.Record(() => { }));
        Assert.Throws<ObjectDisposedException>(device.Synchronize);
        Assert.Throws<ObjectDisposedException>(graph.Launch);
        Assert.Throws<ObjectDisposedException>(() => kept.Pointer);
        Assert.Equal(calls, FakeDriver.Calls.Count);
    }

    [Fact]
    public void Memory_is_reused_by_size()
    {
        using var device = FakeDriver.Open();
        DevicePointer first;
        using (var memory = device.Allocate(3000))
        {
            Assert.Equal(3000, memory.Bytes);
            first = memory.Pointer;
        }

        using var same = device.Allocate(4000); // Both round up to 4096.
        using var other = device.Allocate(4000);
        Assert.Equal(first, same.Pointer);
        Assert.NotEqual(first, other.Pointer);
        Assert.Equal(2, FakeDriver.Count("cuMemAlloc"));
        Assert.Equal(0, FakeDriver.Count("cuMemFree"));
    }

    [Theory]
    [InlineData(1, 256)]
    [InlineData(257, 512)]
    [InlineData(1 << 20, 1 << 20)]
    [InlineData((1 << 20) + 1, 2 << 20)]
    [InlineData((2 << 20) + 1, 4 << 20)]
    [InlineData((6L << 30) + 1, (6L << 30) + (2 << 20))]
    public void Sizes_are_rounded_up(long bytes, long expected) => Assert.Equal(expected, DeviceMemoryPool.RoundUp(bytes));

    [Fact]
    public void Idle_memory_makes_room_before_an_allocation_fails()
    {
        FakeDriver.FreeBytes = 8 << 20;
        using var device = FakeDriver.Open();
        device.Allocate(6 << 20).Dispose();
        using var memory = device.Allocate(8 << 20);
        Assert.Equal(1, FakeDriver.Count("cuMemFree"));
    }

    [Fact]
    public void The_peak_is_the_most_memory_held_at_once()
    {
        using var device = FakeDriver.Open();
        using var kept = device.Allocate(2 << 20);
        device.Allocate(6 << 20).Dispose();
        device.Allocate(4 << 20).Dispose(); // The 6 MiB are idle, and still held.
        Assert.Equal(12 << 20, device.Memory.PeakBytes);
        device.Memory.StartPeak();
        Assert.Equal((2 << 20, 2), (device.Memory.PeakBytes, FakeDriver.Count("cuMemFree")));
        using var other = device.Allocate(300);
        Assert.Equal((2 << 20) + 512, device.Memory.PeakBytes);
    }

    [Fact]
    public void The_peak_outlives_what_was_freed()
    {
        FakeDriver.FreeBytes = 8 << 20;
        using var device = FakeDriver.Open();
        device.Allocate(6 << 20).Dispose();
        using var memory = device.Allocate(4 << 20); // Instead of the 6 MiB.
        Assert.Equal((6 << 20, 1), (device.Memory.PeakBytes, FakeDriver.Count("cuMemFree")));
    }

    [Fact]
    public void Too_little_memory_says_how_much_is_needed_and_free()
    {
        FakeDriver.FreeBytes = 3 << 20;
        using var device = FakeDriver.Open();
        var error = Assert.Throws<MASQuantException>(() => device.Allocate(5000L << 20));
        Assert.Equal(DiagnosticCodes.DeviceMemoryExhausted, error.Code);
        Assert.Contains("cuda:0 (Fake GPU) has too little memory: 5,000 MiB are needed at once, 3 MiB of 2,048 MiB are free.", error.Message);
    }

    [Fact]
    public void Old_drivers_are_refused_before_their_functions_are_looked_for()
    {
        (FakeDriver.Version, FakeDriver.Missing) = (11040, "cuGraphInstantiateWithFlags");
        var error = Assert.Throws<MASQuantException>(() => FakeDriver.Open());
        Assert.Equal(DiagnosticCodes.DriverTooOld, error.Code);
        Assert.Contains("supports CUDA 11.4; the kernels need CUDA 11.8, which is driver R520 or newer", error.Message);
        Assert.Equal(["cuDriverGetVersion"], FakeDriver.Calls);
    }

    [Fact]
    public void Missing_function_is_named()
    {
        FakeDriver.Missing = "cuGraphInstantiateWithFlags";
        var error = Assert.Throws<MASQuantException>(() => FakeDriver.Open());
        Assert.Equal(DiagnosticCodes.DriverTooOld, error.Code);
        Assert.Contains("'fake' lacks cuGraphInstantiateWithFlags", error.Message);
    }

    [Theory]
    [InlineData(0, 0, "finds no GPU")]
    [InlineData(1, 1, "There is no device cuda:1; the NVIDIA driver finds 1, cuda:0.")]
    [InlineData(3, 7, "There is no device cuda:7; the NVIDIA driver finds 3, cuda:0 to cuda:2.")]
    public void Missing_device_is_named(int devices, int ordinal, string message)
    {
        FakeDriver.Devices = devices;
        var error = Assert.Throws<MASQuantException>(() => FakeDriver.Open(ordinal));
        Assert.Equal(DiagnosticCodes.DeviceMissing, error.Code);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Driver_without_device_says_so()
    {
        FakeDriver.Fail("cuInit", DriverResult.NoDevice);
        Assert.Equal(DiagnosticCodes.DeviceMissing, Assert.Throws<MASQuantException>(() => FakeDriver.Open()).Code);
    }

    [Theory]
    [InlineData(90, 11080, true)]
    [InlineData(90, 12000, false)]
    [InlineData(89, 11080, false)]
    public void Hoppers_kernels_need_a_driver_that_knows_them(int capability, int version, bool refused)
    {
        (FakeDriver.Capability, FakeDriver.Version) = (capability, version);
        var error = Record.Exception(() => FakeDriver.Open().Dispose()) as MASQuantException;
        Assert.Equal(refused ? DiagnosticCodes.DriverTooOld : null, error?.Code);
        Assert.Empty(FakeDriver.Leaked);
    }

    [Fact]
    public void Old_device_is_refused()
    {
        FakeDriver.Capability = 75;
        var error = Assert.Throws<MASQuantException>(() => FakeDriver.Open());
        Assert.Equal(DiagnosticCodes.DeviceTooOld, error.Code);
        Assert.Contains("cuda:0 (Fake GPU) has compute capability 7.5", error.Message);
    }

    [Fact]
    public void Rejected_kernel_shows_the_compilers_log()
    {
        FakeDriver.Log = "line 7: unknown opcode";
        FakeDriver.Fail("cuModuleLoadDataEx", FakeDriver.InvalidPtx);
        using var device = FakeDriver.Open();
        var error = Assert.Throws<MASQuantException>(() => device.Launch(new KernelLaunch(Small, new GridSize(1), 0, default)));
        Assert.Equal(DiagnosticCodes.KernelRejected, error.Code);
        Assert.Contains("'prepare.sm80.ptx' for cuda:0 (Fake GPU): CUDA_ERROR_INVALID_PTX (what 218 means). Its log: line 7: unknown opcode", error.Message);
    }

    [Fact]
    public void Launch_passes_grid_and_arguments()
    {
        using var device = FakeDriver.Open();
        var arguments = default(KernelArguments).With(5).With(new DevicePointer(0x1122334455667788)).With(1.5f);
        device.Launch(new KernelLaunch(Large, new GridSize(3, 2, 4), 70_000, arguments));
        device.Launch(new KernelLaunch(Large, new GridSize(0), 0, arguments));
        device.Launch(new KernelLaunch(Small, new GridSize(1), 0, default));
        Assert.Equal(["launch 3x2x4 of 256x1x1 with 70000", "launch 1x1x1 of 128x1x1 with 0"], FakeDriver.Calls.Where(call => call.StartsWith("launch", StringComparison.Ordinal)));
        Assert.Single(FakeDriver.Calls, "cuModuleLoadDataEx");
        Assert.Equal(2, FakeDriver.Count("cuModuleGetFunction"));
        Assert.Single(FakeDriver.Calls, call => call.StartsWith("cuFuncSetAttribute", StringComparison.Ordinal)); // 48 KiB needs no asking.

        device.Launch(new KernelLaunch(Large, new GridSize(1), 0, arguments));
        Assert.Equal(20, FakeDriver.LaunchedArguments.Length);
        Assert.Equal(5, MemoryMarshal.Read<int>(FakeDriver.LaunchedArguments));
        Assert.Equal(0x1122334455667788, MemoryMarshal.Read<long>(FakeDriver.LaunchedArguments.AsSpan(8)));
        Assert.Equal(1.5f, MemoryMarshal.Read<float>(FakeDriver.LaunchedArguments.AsSpan(16)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(PinnedStaging.BufferBytes)]
    [InlineData((2 * PinnedStaging.BufferBytes) + 12345)]
    public void Copies_arrive_whatever_their_size(int bytes)
    {
        using var device = FakeDriver.Open();
        using var memory = device.Allocate(bytes);
        using var copy = device.Allocate(bytes);
        var values = new byte[bytes];
        new Random(bytes).NextBytes(values);
        device.Write(copy.Pointer, new byte[77]); // So that the next copy begins inside a buffer.
        device.Write(memory.Pointer, values);
        device.Copy(memory.Pointer, copy.Pointer, bytes);
        var read = new byte[bytes];
        device.Read(copy.Pointer, read);
        Assert.True(values.AsSpan().SequenceEqual(read));
        device.Clear(copy.Pointer, bytes);
        device.Read(copy.Pointer, read);
        Assert.Equal(-1, read.AsSpan().IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Small_writes_wait_for_nothing()
    {
        using var device = FakeDriver.Open();
        using var memory = device.Allocate(16);
        for (var i = 0; i < 1000; i++)
        {
            device.Write(memory.Pointer, new byte[16]);
        }

        Assert.Equal(0, FakeDriver.Count("cuEventSynchronize"));
        Assert.Equal(0, FakeDriver.Count("cuStreamSynchronize"));
    }

    [Fact]
    public void Graph_is_recorded_once_and_launched_often()
    {
        using var device = FakeDriver.Open();
        using var memory = device.Allocate(64);
        using (var graph = device.Record(() => device.Clear(memory.Pointer, 64)))
        {
            graph.Launch();
            graph.Launch();
        }

        Assert.Equal((1, 2), (FakeDriver.Count("cuGraphInstantiateWithFlags"), FakeDriver.Count("cuGraphLaunch")));
        Assert.Throws<InvalidOperationException>(() => device.Record(() => device.Write(memory.Pointer, new byte[4])));
        Assert.Throws<InvalidOperationException>(() => device.Record(() => device.Read(memory.Pointer, new byte[4])));
        device.Write(memory.Pointer, new byte[4]); // A failed recording is over.
    }

    [Fact]
    public void Kernels_are_loaded_before_a_capture_begins()
    {
        using var device = FakeDriver.Open();
        using var memory = device.Allocate(64);
        using var graph = device.Record(() =>
        {
            device.Clear(memory.Pointer, 32);
            device.Copy(memory.Pointer, memory.Pointer + 32, 32);
            device.Launch(new KernelLaunch(Large, new GridSize(1), 60_000, default));
        });
        string[] named = ["cuModuleLoadDataEx", "cuModuleGetFunction", "cuFuncSetAttribute 8 100000", "cuStreamBeginCapture", "cuMemsetD8Async", "cuMemcpyDtoDAsync", "cuLaunchKernel", "cuStreamEndCapture"];
        Assert.Equal(named, FakeDriver.Calls.Where(named.Contains));
        Assert.Throws<InvalidOperationException>(() => device.Record(() => device.Allocate(64)));
    }

    private static void UseEverything(CudaDevice device)
    {
        using var memory = device.Allocate(9 << 20);
        using var other = device.Allocate(64);
        device.Write(memory.Pointer, new byte[9 << 20]);
        device.Copy(memory.Pointer, other.Pointer, 64);
        device.Clear(other.Pointer, 64);
        device.Launch(new KernelLaunch(Large, new GridSize(1), 60_000, default));
        using (var graph = device.Record(() => device.Launch(new KernelLaunch(Large, new GridSize(1), 60_000, default))))
        {
            graph.Launch();
        }

        device.Synchronize();
        device.Read(memory.Pointer, new byte[64]);
    }
}
