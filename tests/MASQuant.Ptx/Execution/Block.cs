using MASQuant.Gemm.Cuda;
using MASQuant.Ptx.Memory;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx.Execution;

/// <summary>A block of threads: its warps, its shared memory and its barrier. One host thread runs it from barrier to barrier, warp after warp; it is reused for the blocks of a launch.</summary>
internal sealed class Block : IDisposable
{
    private readonly PtxEntry _entry;
    private readonly Warp[] _warps;

    public Block(PtxEntry entry, in KernelLaunch launch, GlobalMemory memory)
    {
        _entry = entry;
        (Grid, Threads, Memory) = (launch.Grid, launch.Kernel.Threads, memory);
        Arguments = launch.Arguments.Bytes.ToArray();
        Shared = new SharedMemory(entry.StaticSharedBytes + launch.SharedBytes);
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
        for (var i = 0; i < _warps.Length; i++)
        {
            _warps[i].Reset(Math.Min(Warp.Lanes, Threads - (i * Warp.Lanes)));
        }

        while (Advance())
        {
            Shared.Barrier();
            Publication.Barrier();
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

    /// <summary>Runs every warp to the next barrier; false when all have left.</summary>
    private bool Advance()
    {
        var left = 0;
        foreach (var warp in _warps)
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

            left += warp.Flow.Live == 0 ? 1 : 0;
        }

        return left == 0 || (left == _warps.Length ? false
            : throw new PtxException(PtxFault.DivergentBarrier, $"{left} of {_warps.Length} warps of {_entry.Name} have left while the others stand at a barrier"));
    }
}
