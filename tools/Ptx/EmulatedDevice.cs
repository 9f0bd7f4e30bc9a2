using MASQuant.Cuda.Device;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Memory;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx;

/// <summary>Executes the shipped PTX on the CPU, launch by launch, at once. What a GPU would not report it refuses, see <see cref="PtxFault"/>.</summary>
internal sealed class EmulatedDevice : ICudaDevice
{
    private readonly GlobalMemory _memory = new();
    private readonly Dictionary<string, PtxModule> _modules = [];
    private readonly Func<string, string, string> _mutate;
    private List<Action>? _recording;

    /// <summary>Creates a device.</summary>
    /// <param name="mutate">Changes a module's text (its name, its text) before it is decoded; for negative controls.</param>
    public EmulatedDevice(Func<string, string, string>? mutate = null) => _mutate = mutate ?? ((_, text) => text);

    public string Name => "emulated";

    public int ComputeCapability { get; init; } = 80;

    public int Multiprocessors { get; init; } = 4;

    public int SharedBytesPerBlock => ComputeCapability == 90 ? 227 * 1024 : 99 * 1024;

    /// <summary>What the launches since the last <see cref="Forget"/> executed.</summary>
    public LaunchCounts Counts { get; private set; } = new();

    public void Forget() => Counts = new LaunchCounts();

    public IDeviceMemory Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        return _recording is null ? new Memory(_memory, _memory.Allocate(bytes)) : throw new InvalidOperationException("A recording allocates nothing.");
    }

    public unsafe void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
        if (_recording is not null)
        {
            var copy = source.ToArray();
            _recording.Add(() => Write(target, copy));
            return;
        }

        source.CopyTo(new Span<byte>(_memory.Find(target.Address, source.Length), source.Length));
    }

    public unsafe void Read(DevicePointer source, Span<byte> target)
    {
        if (_recording is not null)
        {
            throw new InvalidOperationException("A recording reads nothing back.");
        }

        new ReadOnlySpan<byte>(_memory.Find(source.Address, target.Length), target.Length).CopyTo(target);
    }

    public void Copy(DevicePointer source, DevicePointer target, long bytes) => Queue(() => CopyNow(source, target, bytes));

    public void Clear(DevicePointer target, long bytes) => Queue(() => ClearNow(target, bytes));

    public void Launch(in KernelLaunch launch)
    {
        var copy = launch;
        Queue(() => Run(copy));
    }

    public IDeviceGraph Record(Action work)
    {
        _recording = [];
        try
        {
            work();
            return new Graph(_recording);
        }
        finally
        {
            _recording = null;
        }
    }

    public void Synchronize()
    {
    }

    public void Dispose()
    {
    }

    private void Queue(Action work)
    {
        if (_recording is null)
        {
            work();
        }
        else
        {
            _recording.Add(work);
        }
    }

    private unsafe void CopyNow(DevicePointer source, DevicePointer target, long bytes)
        => Buffer.MemoryCopy(_memory.Find(source.Address, bytes), _memory.Find(target.Address, bytes), bytes, bytes);

    private unsafe void ClearNow(DevicePointer target, long bytes)
        => System.Runtime.InteropServices.NativeMemory.Clear(_memory.Find(target.Address, bytes), (nuint)bytes);

    private PtxEntry Entry(Kernel kernel)
    {
        if (!_modules.TryGetValue(kernel.Module.Name, out var module))
        {
            var text = System.Text.Encoding.UTF8.GetString(kernel.Module.ReadPtx());
            _modules[kernel.Module.Name] = module = new PtxModule(_mutate(kernel.Module.Name, text));
        }

        return module[kernel.Entry];
    }

    private void Run(KernelLaunch launch)
    {
        var entry = Entry(launch.Kernel);
        Check(launch.Kernel.Module.IsFor(ComputeCapability), $"{entry.Name} is not for compute capability {ComputeCapability}");
        Check(launch.Arguments.Length == entry.ParameterBytes, $"{entry.Name} takes {entry.ParameterBytes} bytes of parameters, not {launch.Arguments.Length}");
        Check(launch.Kernel.Threads <= entry.MaxThreads, $"{entry.Name} runs with at most {entry.MaxThreads} threads");
        Check(launch.SharedBytes <= launch.Kernel.MaxSharedBytes, $"{entry.Name} is launched with {launch.SharedBytes} bytes of shared memory; the catalog allows {launch.Kernel.MaxSharedBytes}");
        Check(launch.SharedBytes + entry.StaticSharedBytes <= SharedBytesPerBlock, $"{entry.Name} needs {launch.SharedBytes + entry.StaticSharedBytes} bytes of shared memory");
        Check(launch.Grid.Y <= 65535 && launch.Grid.Z <= 65535, $"{entry.Name} has a grid of {launch.Grid}");
        var blocks = (long)launch.Grid.X * launch.Grid.Y * launch.Grid.Z;
        var counts = new long[entry.Code.Length];
        var next = -1L;
        var workers = Enumerable.Range(0, (int)Math.Min(blocks, Environment.ProcessorCount)).Select(_ => Task.Run(() =>
        {
            using var block = new Block(entry, launch, _memory);
            try
            {
                for (long index; (index = Interlocked.Increment(ref next)) < blocks;)
                {
                    block.Run((int)(index % launch.Grid.X), (int)(index / launch.Grid.X % launch.Grid.Y), (int)(index / launch.Grid.X / launch.Grid.Y));
                }
            }
            catch
            {
                Interlocked.Exchange(ref next, blocks);
                throw;
            }

            lock (counts)
            {
                for (var i = 0; i < counts.Length; i++)
                {
                    counts[i] += block.Counts[i];
                }
            }
        })).ToArray();
        foreach (var worker in workers)
        {
            worker.GetAwaiter().GetResult();
        }

        for (var i = 0; i < counts.Length; i++)
        {
            Counts.Add(Operation(entry.Code[i].Text), counts[i]);
        }
    }

    private static string Operation(string text)
    {
        var start = text[0] == '@' ? text.IndexOfAny([' ', '\t']) : 0;
        var rest = text.AsSpan(start).Trim();
        var end = rest.IndexOfAny(' ', '\t');
        return (end < 0 ? rest : rest[..end]).ToString();
    }

    private static void Check(bool holds, string message)
    {
        if (!holds)
        {
            throw new PtxException(PtxFault.Launch, message);
        }
    }

    private sealed class Memory(GlobalMemory memory, Allocation allocation) : IDeviceMemory
    {
        private bool _freed;

        public DevicePointer Pointer => new(allocation.Start);

        public long Bytes => allocation.Bytes;

        public void Dispose()
        {
            if (!_freed)
            {
                _freed = true;
                memory.Free(allocation);
            }
        }
    }

    private sealed class Graph(List<Action> work) : IDeviceGraph
    {
        public void Launch()
        {
            foreach (var step in work)
            {
                step();
            }
        }

        public void Dispose()
        {
        }
    }
}
