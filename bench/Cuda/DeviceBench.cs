using MASQuant.Cuda.Device;

namespace MASQuant.Bench.Cuda;

/// <summary>Times work on a device: recorded as a graph that runs it many times, over copies of its weights that together exceed the L2 cache, replayed; the median of the replays.</summary>
internal sealed class DeviceBench(IBenchDevice device, BenchPlan plan, CancellationToken cancellationToken = default)
{
    private double? _bandwidth;

    public ICudaDevice Device => device.Device;

    public BenchPlan Plan => plan;

    public CancellationToken Cancellation => cancellationToken;

    public long PeakBytes => device.PeakBytes;

    public void StartPeak() => device.StartPeak();

    /// <summary>How many copies of an operand exceed three times the L2 cache, at least one.</summary>
    public int Copies(long bytes) => (int)Math.Clamp((3 * device.L2CacheBytes / Math.Max(1, bytes)) + 1, 1, 64);

    /// <summary>The median time of one run in microseconds; <paramref name="run"/> is told which copy to use.</summary>
    /// <exception cref="OperationCanceledException">The run is ended.</exception>
    public double Median(int copies, Action<int> run)
    {
        cancellationToken.ThrowIfCancellationRequested();
        for (var copy = 0; copy < copies; copy++)
        {
            run(copy); // Compiles, and grows what grows.
        }

        var once = Replay(copies, run, 1);
        var rounds = (int)Math.Clamp(plan.GraphMicroseconds / Math.Max(once, 0.5) / copies, 1, Math.Max(1, plan.MostRuns / copies));
        return rounds == 1 ? once : Replay(copies, run, rounds);
    }

    /// <summary>Bytes read and written per second by a copy on the device; measured once.</summary>
    public double CopyBandwidth()
    {
        if (_bandwidth is null)
        {
            using var source = Device.Allocate(plan.CopyBytes);
            using var target = Device.Allocate(plan.CopyBytes);
            _bandwidth = 2 * plan.CopyBytes / (Median(1, _ => Device.Copy(source.Pointer, target.Pointer, plan.CopyBytes)) * 1e-6);
        }

        return _bandwidth.Value;
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

    /// <summary>Makes random bytes FP32 numbers below 2 in magnitude.</summary>
    public static void ShapeFloat(byte[] bytes)
    {
        for (var i = 3; i < bytes.Length; i += 4)
        {
            bytes[i] = (byte)((bytes[i] & 0x81) | 0x3E);
        }
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
        var times = new double[plan.Replays];
        for (var i = 0; i < times.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            times[i] = device.Milliseconds(graph) * 1000 / (rounds * copies);
        }

        Array.Sort(times);
        return times[times.Length / 2];
    }
}
