using MASQuant.Cuda.Device;
using MASQuant.Ptx.Memory;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx.Execution;

/// <summary>A block of threads: its warps, its shared memory and its barrier. One host thread runs it, each warp until it must wait; it is reused for the blocks of a launch.</summary>
internal sealed class Block : IDisposable
{
    private const int RegisterFile = 65536;
    private const int RegisterUnit = 8;
    private const int MaxRegisters = 248;
    private readonly PtxEntry _entry;
    private readonly Warp[] _warps;

    public Block(PtxEntry entry, in KernelLaunch launch, GlobalMemory memory)
    {
        _entry = entry;
        (Grid, Threads, Memory) = (launch.Grid, launch.Kernel.Threads, memory);
        Arguments = launch.Arguments.Bytes.ToArray();
        Shared = new SharedMemory(entry.StaticSharedBytes + launch.SharedBytes);
        Barriers = new PhaseBarriers(this);
        Counts = new long[entry.Code.Length];
        _warps = [.. Enumerable.Range(0, (Threads + Warp.Lanes - 1) / Warp.Lanes).Select(i => new Warp(entry, this, i))];
    }

    public GridSize Grid { get; }

    public int Threads { get; }

    public int X { get; private set; }

    public int Y { get; private set; }

    public int Z { get; private set; }

    public GlobalMemory Memory { get; }

    public SharedMemory Shared { get; }

    public Publication Publication { get; } = new();

    public PhaseBarriers Barriers { get; }

    /// <summary>Registers that no warp holds; below zero while one waits for another to give some back.</summary>
    public int FreeRegisters { get; set; }

    /// <summary>The parameter block.</summary>
    public byte[] Arguments { get; }

    /// <summary>How many lanes have executed each instruction.</summary>
    public long[] Counts { get; }

    /// <summary>Runs block (<paramref name="x"/>, <paramref name="y"/>, <paramref name="z"/>) to its end.</summary>
    public void Run(int x, int y, int z)
    {
        (X, Y, Z) = (x, y, z);
        Shared.Reset();
        Publication.Reset();
        Barriers.Clear();
        FreeRegisters = 0;
        for (var i = 0; i < _warps.Length; i++)
        {
            _warps[i].Registers = Math.Min(MaxRegisters, RegisterFile / Threads / RegisterUnit * RegisterUnit);
            _warps[i].Reset(Math.Min(Warp.Lanes, Threads - (i * Warp.Lanes)));
        }

        while (Advance())
        {
            Meet();
        }
    }

    public void Dispose()
    {
        foreach (var warp in _warps)
        {
            warp.Dispose();
        }

        Shared.Dispose();
    }

    /// <summary>Runs every warp to the next barrier of the block; false when all have left.</summary>
    private bool Advance()
    {
        bool moved;
        do
        {
            moved = false;
            foreach (var warp in _warps)
            {
                if (warp.IsReady)
                {
                    moved = true;
                    Run(warp);
                }
            }
        }
        while (moved || Barriers.CompleteOne());

        RequireNoDeadlock();
        var left = _warps.Count(warp => warp.Flow.Live == 0);
        return left == 0 || (left == _warps.Length ? false
            : throw new PtxException(PtxFault.DivergentBarrier, $"{left} of {_warps.Length} warps of {_entry.Name} have left while the others stand at a barrier"));
    }

    private void Run(Warp warp)
    {
        try
        {
            warp.Run();
        }
        catch (PtxException exception)
        {
            ref readonly var instruction = ref warp.Current;
            throw new PtxException(exception.Fault,
                $"{exception.Message} ({_entry.Name}, line {instruction.Line}: {instruction.Text}; block {X}, {Y}, {Z}, warp {warp.Index})");
        }
    }

    private void RequireNoDeadlock()
    {
        var waiting = _warps.Where(warp => warp.Waiting is not null).Select(warp => $"warp {warp.Index} for parity {warp.Waiting!.Value.Parity} of {warp.Waiting.Value.Barrier}").ToList();
        if (waiting.Count > 0)
        {
            throw new PtxException(PtxFault.Deadlock, $"in {_entry.Name}, block {X}, {Y}, {Z}, {string.Join("; ", waiting)} wait for ever");
        }

        if (FreeRegisters < 0)
        {
            throw new PtxException(PtxFault.Deadlock, $"the warps of {_entry.Name} wait for {-FreeRegisters} registers that nobody gives back");
        }
    }

    /// <summary>All threads have met at the block's barrier: each is behind all.</summary>
    private void Meet()
    {
        var all = VectorClock.New();
        foreach (var warp in _warps)
        {
            warp.Ahead.End(warp.Clock);
            VectorClock.Join(all, warp.Clock);
        }

        foreach (var warp in _warps)
        {
            all.CopyTo(warp.Clock, 0);
            warp.Meet();
            warp.AtBarrier = false;
        }

        Publication.Barrier();
    }
}
