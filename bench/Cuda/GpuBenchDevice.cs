using System.Text.RegularExpressions;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;

namespace MASQuant.Bench.Cuda;

/// <summary>A GPU, timed by events in its stream.</summary>
internal sealed partial class GpuBenchDevice : IBenchDevice, IDisposable
{
    private const string ModuleVersion = "/proc/driver/nvidia/version";
    private readonly CudaDevice _device;
    private readonly CudaEvent _start;
    private readonly CudaEvent _end;

    public GpuBenchDevice(CudaDevice device)
    {
        _device = device;
        _start = CudaEvent.Create(device.Context, timed: true);
        _end = CudaEvent.Create(device.Context, timed: true);
        var cuda = FormattableString.Invariant($"CUDA {device.Context.Driver.Version / 1000}.{device.Context.Driver.Version % 1000 / 10}");
        var release = File.Exists(ModuleVersion) ? ReleaseOf(File.ReadAllText(ModuleVersion)) : null;
        Driver = release is null ? cuda : $"{release} ({cuda})";
    }

    public ICudaDevice Device => _device;

    public string ProductName => _device.ProductName;

    public string Driver { get; }

    public long L2CacheBytes => _device.L2CacheBytes;

    public long PeakBytes => _device.Memory.PeakBytes;

    public void StartPeak() => _device.Memory.StartPeak();

    public double Milliseconds(IDeviceGraph work)
    {
        _start.Record(_device.Stream);
        work.Launch();
        _end.Record(_device.Stream);
        _end.Synchronize();
        return _start.MillisecondsTo(_end);
    }

    public void Dispose()
    {
        _start.Dispose();
        _end.Dispose();
    }

    /// <summary>The release in what the kernel's module says of itself, of either kind; null where there is none.</summary>
    internal static string? ReleaseOf(string text) => Release().Match(text) is { Success: true } match ? match.Value : null;

    [GeneratedRegex(@"\b\d{3,}\.\d+(\.\d+)?\b")]
    private static partial Regex Release();
}
