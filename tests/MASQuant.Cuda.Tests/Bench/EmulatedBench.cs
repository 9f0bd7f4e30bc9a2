using MASQuant.Bench.Cuda;
using MASQuant.Cuda.Device;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Bench;

/// <summary>The interpreter with a clock that counts: replay n takes n units of a tenth of a millisecond.</summary>
internal sealed class EmulatedBench(int computeCapability, CountingDevice? device = null) : IBenchDevice
{
    private readonly CountingDevice _device = device ?? new CountingDevice(new EmulatedDevice { ComputeCapability = computeCapability });

    private int _replays;

    public int FailsAfter { get; init; } = int.MaxValue;

    public ICudaDevice Device => _device;

    public string ProductName => "Interpreter";

    public string Driver => "none";

    public long L2CacheBytes => 3 << 10;

    public long PeakBytes => _device.PeakBytes;

    public void StartPeak() => _device.PeakBytes = _device.LentBytes;

    public double Milliseconds(IDeviceGraph work)
    {
        work.Launch();
        return _replays++ < FailsAfter ? _replays * 0.1 : throw new InvalidOperationException("The clock stands still.");
    }
}
