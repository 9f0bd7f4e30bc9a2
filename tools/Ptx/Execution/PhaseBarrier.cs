namespace MASQuant.Ptx.Execution;

/// <summary>An <c>mbarrier</c>: its phase ends when as many threads have arrived as it counts, and all bytes that were announced. Who waits for the end is behind all who arrived.</summary>
internal sealed class PhaseBarrier
{
    private readonly Warp _maker;
    private readonly int _count;
    private readonly int[] _arrived = VectorClock.New();
    private readonly int[] _passed = VectorClock.New();
    private readonly int _madeAt;
    private int _missing;
    private long _bytes;

    public PhaseBarrier(Warp maker, ulong address, int count, int slot)
        => (_maker, _madeAt, Address, _count, _missing, Slot) = (maker, maker.Clock[maker.Index], address, count, count, slot);

    public ulong Address { get; }

    /// <summary>The entry of its copies in a clock.</summary>
    public int Slot { get; }

    /// <summary>Phases that have ended.</summary>
    public int Phase { get; private set; }

    /// <summary><c>fence.mbarrier_init</c> by its maker.</summary>
    public bool Published { get; private set; }

    /// <summary><c>fence.proxy.async</c> by its maker: the copy engine sees it, too.</summary>
    public bool PublishedToCopies { get; private set; }

    /// <summary>A fence of <paramref name="warp"/>.</summary>
    public void Publish(Warp warp, bool toCopies)
    {
        Published |= warp == _maker && !toCopies;
        PublishedToCopies |= warp == _maker && toCopies;
    }

    /// <summary>Refuses a use that its making is not ordered before.</summary>
    public void RequireOrdered(Warp warp)
    {
        if (warp != _maker && (!Published || warp.Clock[_maker.Index] < _madeAt))
        {
            throw new PtxException(PtxFault.Race, $"warp {warp.Index} uses the mbarrier at {Address} without fence.mbarrier_init and a barrier after warp {_maker.Index} has initialized it");
        }
    }

    /// <summary>The lanes of <paramref name="mask"/> arrive, each announcing <paramref name="bytes"/>.</summary>
    public void Arrive(Warp warp, uint mask, uint bytes)
    {
        var lanes = System.Numerics.BitOperations.PopCount(mask);
        _missing -= lanes;
        _bytes += (long)lanes * bytes;
        if (_missing < 0)
        {
            throw new PtxException(PtxFault.InvalidBarrier, $"more threads arrive at the mbarrier at {Address} than the {_count} that it counts");
        }

        // Lanes speak for the others only up to where the warp last met.
        var whole = mask == warp.Flow.Live;
        var own = warp.Clock[warp.Index];
        if (whole)
        {
            warp.Meet();
        }

        var clock = warp.ClockOf(System.Numerics.BitOperations.TrailingZeroCount(mask));
        for (var i = 0; i < clock.Length; i++)
        {
            _arrived[i] = Math.Max(_arrived[i], i != warp.Index ? clock[i] : whole ? own : own - 1);
        }

        EndPhase();
    }

    /// <summary>The bytes of a copy arrive that was started in <paramref name="phase"/>.</summary>
    public void Deliver(int bytes, int phase)
    {
        if (phase != Phase)
        {
            throw new PtxException(PtxFault.InvalidBarrier, $"{bytes} bytes of a copy of phase {phase} reach the mbarrier at {Address} in phase {Phase}: fewer were expected than were copied");
        }

        _bytes -= bytes;
        EndPhase();
    }

    /// <summary>Whether the phase of <paramref name="parity"/> has ended: the last one, or the one before the first.</summary>
    public bool HasPassed(uint parity) => (Phase & 1) != parity;

    /// <summary>The lanes of <paramref name="mask"/> have seen the last phase end.</summary>
    public void Pass(Warp warp, uint mask)
    {
        if (mask != warp.Flow.Live)
        {
            warp.Ahead.Pass(mask, warp.Clock, _passed);
            return;
        }

        VectorClock.Join(warp.Clock, _passed);
        if (warp.Ahead.Lanes != 0)
        {
            VectorClock.Join(warp.Ahead.Clock, _passed);
        }
    }

    public override string ToString() => $"the mbarrier at {Address} in phase {Phase}, which lacks {_missing} arrivals and {_bytes} bytes";

    private void EndPhase()
    {
        if (_missing == 0 && _bytes == 0)
        {
            _missing = _count;
            Phase++;
            VectorClock.Join(_passed, _arrived);
            _passed[Slot] = Phase;
        }
    }
}
