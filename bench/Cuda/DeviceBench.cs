using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;

namespace MASQuant.Bench.Cuda;

/// <summary>Times work on a GPU: recorded as a graph that runs it many times, over copies of its weights that together exceed the L2 cache, replayed; the median of the replays.</summary>
internal sealed class DeviceBench : IDisposable
{
    private const int Replays = 15;
    private const double GraphMicroseconds = 3000;
    private const int MostRuns = 200;
    private readonly CudaEvent _start;
    private readonly CudaEvent _end;

    public DeviceBench(CudaDevice device)
    {
        Device = device;
        _start = CudaEvent.Create(device.Context, timed: true);
        _end = CudaEvent.Create(device.Context, timed: true);
        DriverVersion = FormattableString.Invariant($"{device.Context.Driver.Version / 1000}.{device.Context.Driver.Version % 1000 / 10}");
    }

    public CudaDevice Device { get; }

    public string DriverVersion { get; }

    /// <summary>How many copies of an operand exceed three times the L2 cache, at least one.</summary>
    public int Copies(long bytes) => (int)Math.Clamp((3L * Device.L2CacheBytes / Math.Max(1, bytes)) + 1, 1, 64);

    /// <summary>The median time of one run in microseconds; <paramref name="run"/> is told which copy to use.</summary>
    public double Median(int copies, Action<int> run)
    {
        for (var copy = 0; copy < copies; copy++)
        {
            run(copy); // Compiles, and grows what grows.
        }

        var once = Replay(copies, run, 1);
        var rounds = (int)Math.Clamp(GraphMicroseconds / Math.Max(once, 0.5) / copies, 1, Math.Max(1, MostRuns / copies));
        return Replay(copies, run, rounds);
    }

    /// <summary>Bytes read and written per second by a copy of 1 GiB.</summary>
    public double CopyBandwidth()
    {
        const long Bytes = 1L << 30;
        using var source = Device.Allocate(Bytes);
        using var target = Device.Allocate(Bytes);
        return 2 * Bytes / (Median(1, _ => Device.Copy(source.Pointer, target.Pointer, Bytes)) * 1e-6);
    }

    /// <summary>Random bytes on the device: zeros can be faster than data.</summary>
    public IDeviceMemory Random(long bytes, int seed, Action<byte[]>? shape = null)
    {
        var memory = Device.Allocate(bytes);
        var piece = new byte[(int)Math.Min(bytes, 16 << 20)];
        new Random(seed).NextBytes(piece);
        shape?.Invoke(piece);
        for (var start = 0L; start < bytes; start += piece.Length)
        {
            Device.Write(memory.Pointer + start, piece.AsSpan(0, (int)Math.Min(piece.Length, bytes - start)));
        }

        return memory;
    }

    /// <summary>Makes random bytes BF16 numbers below 2 in magnitude.</summary>
    public static void ShapeBFloat16(byte[] bytes)
    {
        for (var i = 1; i < bytes.Length; i += 2)
        {
            bytes[i] = (byte)((bytes[i] & 0x81) | 0x3E);
        }
    }

    /// <summary>Makes random bytes FP32 numbers below 2 in magnitude.</summary>
    public static void ShapeFloat(byte[] bytes)
    {
        for (var i = 3; i < bytes.Length; i += 4)
        {
            bytes[i] = (byte)((bytes[i] & 0x81) | 0x3E);
        }
    }

    public void Dispose()
    {
        _start.Dispose();
        _end.Dispose();
    }

    private double Replay(int copies, Action<int> run, int rounds)
    {
        using var graph = Device.Record(() =>
        {
            for (var i = 0; i < rounds * copies; i++)
            {
                run(i % copies);
            }
        });
        graph.Launch();
        Device.Synchronize();
        var times = new double[Replays];
        for (var i = 0; i < Replays; i++)
        {
            _start.Record(Device.Stream);
            graph.Launch();
            _end.Record(Device.Stream);
            _end.Synchronize();
            times[i] = _start.MillisecondsTo(_end) * 1000 / (rounds * copies);
        }

        Array.Sort(times);
        return times[Replays / 2];
    }
}
