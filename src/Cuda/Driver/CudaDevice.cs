using System.Text;
using MASQuant.Cuda.Device;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Driver;

/// <summary>An NVIDIA GPU through its driver. Modules are compiled when a kernel of theirs is first launched.</summary>
public sealed unsafe class CudaDevice : ICudaDevice
{
    private const int LeastComputeCapability = 80;
    private const int HopperCapability = 90;
    private const int LeastVersionOnHopper = 12000; // Its module is PTX ISA 8.0.
    private const int RelaxedCapture = 2; // Other threads may go on using the driver meanwhile.
    private static readonly nint LaunchBuffer = 1; // CU_LAUNCH_PARAM_BUFFER_POINTER
    private static readonly nint LaunchBufferSize = 2; // CU_LAUNCH_PARAM_BUFFER_SIZE

    private readonly DriverApi _driver;
    private readonly PrimaryContext _context;
    private readonly CudaStream _stream;
    private readonly PinnedStaging _staging;
    private readonly DeviceMemoryPool _memory;
    private readonly Dictionary<KernelModule, DeviceModule> _modules = [];
    private readonly Dictionary<Kernel, nint> _functions = new(ReferenceEqualityComparer.Instance);
    private bool _recording;
    private bool _loading;
    private bool _disposed;

    private CudaDevice(DriverApi driver, int ordinal, int device)
    {
        _driver = driver;
        Name = FormattableString.Invariant($"cuda:{ordinal}");
        ProductName = ReadName(driver, device);
        ComputeCapability = (Attribute(device, DeviceAttribute.ComputeCapabilityMajor) * 10) + Attribute(device, DeviceAttribute.ComputeCapabilityMinor);
        Multiprocessors = Attribute(device, DeviceAttribute.Multiprocessors);
        SharedBytesPerBlock = Attribute(device, DeviceAttribute.SharedBytesPerBlock);
        L2CacheBytes = Attribute(device, DeviceAttribute.L2CacheBytes);
        if (ComputeCapability < LeastComputeCapability)
        {
            throw new MASQuantException(DiagnosticCodes.DeviceTooOld, null,
                $"{Name} ({ProductName}) has compute capability {ComputeCapability / 10}.{ComputeCapability % 10}; the kernels need {LeastComputeCapability / 10}.0 (Ampere) or more. Choose another device, or run on the processor: --device cpu.");
        }

        if (ComputeCapability == HopperCapability && driver.Version < LeastVersionOnHopper)
        {
            throw new MASQuantException(DiagnosticCodes.DriverTooOld, null,
                $"The NVIDIA driver supports CUDA {driver.Version / 1000}.{driver.Version % 1000 / 10}; the kernels for {Name} ({ProductName}) need CUDA {LeastVersionOnHopper / 1000}.0, which is driver R525 or newer. Update the driver, or run on the processor: --device cpu.");
        }

        _context = PrimaryContext.Retain(driver, device);
        try
        {
            _stream = CudaStream.Create(_context);
            _staging = new PinnedStaging(_context, _stream);
            _memory = new DeviceMemoryPool(_context, $"{Name} ({ProductName})");
        }
        catch
        {
            _stream?.Dispose();
            _context.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>What the maker calls it: <c>NVIDIA H200</c>.</summary>
    public string ProductName { get; }

    /// <inheritdoc/>
    public int ComputeCapability { get; }

    /// <inheritdoc/>
    public int Multiprocessors { get; }

    /// <inheritdoc/>
    public int SharedBytesPerBlock { get; }

    /// <summary>What measurements must exceed to read memory rather than cache.</summary>
    public int L2CacheBytes { get; }

    /// <summary>Device memory, for measurements of its peak.</summary>
    public DeviceMemoryPool Memory => _memory;

    /// <summary>The context, for measurements that call other libraries.</summary>
    public PrimaryContext Context => _context;

    /// <summary>The one stream of the device's work.</summary>
    public CudaStream Stream => _stream;

    /// <summary>Opens device <paramref name="ordinal"/>, from 0.</summary>
    /// <param name="ordinal">The driver's number of the device, which <c>CUDA_VISIBLE_DEVICES</c> may change.</param>
    /// <param name="driver">The initialized driver; null for the machine's.</param>
    /// <exception cref="MASQuantException">MASQ1001 … MASQ1003 no usable driver or device, MASQ1006 a call failed, MASQ1008 the device is too old.</exception>
    public static CudaDevice Open(int ordinal, DriverApi? driver = null)
    {
        driver ??= DriverLibrary.Load();
        int count, device;
        driver.Check(driver.DeviceGetCount(&count));
        if (ordinal < 0 || ordinal >= count)
        {
            throw DriverLibrary.NoDevice(ordinal, count);
        }

        driver.Check(driver.DeviceGet(&device, ordinal));
        return new CudaDevice(driver, ordinal, device);
    }

    /// <inheritdoc/>
    public IDeviceMemory Allocate(long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        RefuseWhileRecording();
        return _memory.Rent(bytes);
    }

    /// <inheritdoc/>
    public void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
        Begin();
        RefuseWhileRecording();
        _staging.Write(target, source);
    }

    /// <inheritdoc/>
    public void Read(DevicePointer source, Span<byte> target)
    {
        Begin();
        RefuseWhileRecording();
        _staging.Read(source, target);
    }

    /// <inheritdoc/>
    public void Copy(DevicePointer source, DevicePointer target, long bytes)
    {
        Begin();
        if (!_loading)
        {
            _driver.Check(_driver.MemcpyDtoDAsync(target.Address, source.Address, (nuint)bytes, _stream.Value));
        }
    }

    /// <inheritdoc/>
    public void Clear(DevicePointer target, long bytes)
    {
        Begin();
        if (!_loading)
        {
            _driver.Check(_driver.MemsetD8Async(target.Address, 0, (nuint)bytes, _stream.Value));
        }
    }

    /// <inheritdoc/>
    public void Launch(in KernelLaunch launch)
    {
        Begin();
        var grid = launch.Grid;
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0)
        {
            return;
        }

        var function = Function(launch.Kernel);
        if (_loading)
        {
            return;
        }

        var arguments = launch.Arguments;
        var size = (nuint)arguments.Length;
        fixed (byte* bytes = arguments.Bytes)
        {
            var extra = stackalloc void*[] { (void*)LaunchBuffer, bytes, (void*)LaunchBufferSize, &size, null };
            _driver.Check(_driver.LaunchKernel(
                function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)launch.Kernel.Threads, 1, 1, (uint)launch.SharedBytes, _stream.Value, null, extra));
        }
    }

    /// <inheritdoc/>
    public IDeviceGraph Record(Action work)
    {
        Begin();
        RefuseWhileRecording();
        _recording = true;
        try
        {
            Load(work);
            return DeviceGraph.Instantiate(_context, _stream, Capture(work));
        }
        finally
        {
            _recording = false;
        }
    }

    /// <inheritdoc/>
    public void Synchronize()
    {
        Begin();
        RefuseWhileRecording();
        _driver.Check(_driver.StreamSynchronize(_stream.Value));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_context.TryMakeCurrent())
        {
            _ = _driver.StreamSynchronize(_stream.Value); // An error was reported where it mattered, or nobody waits for it.
        }

        _memory.Dispose();
        _staging.Dispose();
        foreach (var module in _modules.Values)
        {
            module.Dispose();
        }

        _stream.Dispose();
        _context.Dispose();
    }

    private static string ReadName(DriverApi driver, int device)
    {
        const int Capacity = 256;
        var name = stackalloc byte[Capacity];
        driver.Check(driver.DeviceGetName(name, Capacity, device));
        return Encoding.UTF8.GetString(new ReadOnlySpan<byte>(name, Capacity).Slice(0, Math.Max(0, new ReadOnlySpan<byte>(name, Capacity).IndexOf((byte)0))));
    }

    private int Attribute(int device, DeviceAttribute attribute)
    {
        int value;
        _driver.Check(_driver.DeviceGetAttribute(&value, (int)attribute, device));
        return value;
    }

    /// <summary>Finds the kernels of <paramref name="work"/>: compiling one, or loading it, may wait for the device, which a capture must not.</summary>
    private void Load(Action work)
    {
        _loading = true;
        try
        {
            work();
        }
        finally
        {
            _loading = false;
        }
    }

    private nint Capture(Action work)
    {
        nint captured;
        _driver.Check(_driver.StreamBeginCapture(_stream.Value, RelaxedCapture));
        try
        {
            work();
        }
        catch
        {
            _ = _driver.StreamEndCapture(_stream.Value, &captured) == DriverResult.Success && captured != 0 ? _driver.GraphDestroy(captured) : 0;
            throw;
        }

        var result = _driver.StreamEndCapture(_stream.Value, &captured);
        _driver.Check(result, "StreamEndCapture()");
        return captured;
    }

    private void Begin()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _context.MakeCurrent();
    }

    private void RefuseWhileRecording()
    {
        if (_recording)
        {
            throw new InvalidOperationException("A graph holds launches, copies and clears on the device only.");
        }
    }

    private nint Function(Kernel kernel)
    {
        if (_functions.TryGetValue(kernel, out var function))
        {
            return function;
        }

        if (!_modules.TryGetValue(kernel.Module, out var module))
        {
            _modules.Add(kernel.Module, module = DeviceModule.Load(_context, kernel.Module, $"{Name} ({ProductName})"));
        }

        _functions.Add(kernel, function = module.Function(kernel));
        return function;
    }
}
