namespace MASQuant.Ptx.Execution;

/// <summary>The <c>mbarrier</c>s of a block, and the bulk copies that report to them. A copy's bytes arrive when no warp can go on without: as late as the instruction set allows.</summary>
internal sealed unsafe class PhaseBarriers(Block block)
{
    private const int Alignment = 16;
    private readonly Dictionary<ulong, PhaseBarrier> _barriers = [];
    private readonly Queue<(ulong Target, ulong Source, int Bytes, PhaseBarrier Barrier, int Phase)> _copies = new();

    public void Clear()
    {
        _barriers.Clear();
        _copies.Clear();
    }

    /// <summary><c>mbarrier.init</c>.</summary>
    public void Initialize(Warp warp, int lane, ulong address, uint count)
    {
        if (count == 0 || _barriers.ContainsKey(address) || _barriers.Count == VectorClock.MaxBarriers)
        {
            throw new PtxException(PtxFault.InvalidBarrier, $"an mbarrier of {count} at {address}, beside {_barriers.Count} others");
        }

        block.Shared.Reserve(warp, lane, address, sizeof(ulong));
        _barriers[address] = new PhaseBarrier(warp, address, (int)count, VectorClock.MaxWarps + _barriers.Count);
    }

    /// <summary>A fence of <paramref name="warp"/> publishes what it has initialized.</summary>
    public void Publish(Warp warp, bool toCopies)
    {
        foreach (var barrier in _barriers.Values)
        {
            barrier.Publish(warp, toCopies);
        }
    }

    /// <summary>The barrier at <paramref name="address"/>, about to be used.</summary>
    public PhaseBarrier Find(Warp warp, ulong address)
    {
        var barrier = _barriers.GetValueOrDefault(address) ?? throw new PtxException(PtxFault.InvalidBarrier, $"no mbarrier has been initialized at {address}");
        barrier.RequireOrdered(warp);
        return barrier;
    }

    /// <summary><c>cp.async.bulk</c> from global to shared memory.</summary>
    public void Copy(Warp warp, int lane, ulong target, ulong source, uint bytes, ulong barrierAddress)
    {
        if (target % Alignment != 0 || source % Alignment != 0 || bytes % Alignment != 0 || bytes == 0)
        {
            throw new PtxException(PtxFault.Misaligned, $"lane {lane} copies {bytes} bytes from 0x{source:x} to shared address {target}");
        }

        block.Memory.Covering(source, bytes);
        var barrier = Find(warp, barrierAddress);
        if (!barrier.Published || !barrier.PublishedToCopies)
        {
            throw new PtxException(PtxFault.Race, $"a copy reports to the mbarrier at {barrierAddress}, whose initialization no fence.mbarrier_init and fence.proxy.async have made visible");
        }

        block.Shared.Announce(warp, lane, target, (int)bytes);
        _copies.Enqueue((target, source, (int)bytes, barrier, barrier.Phase));
    }

    /// <summary>Completes the copy that was started first; false when there is none.</summary>
    public bool CompleteOne()
    {
        if (!_copies.TryDequeue(out var copy))
        {
            return false;
        }

        var target = block.Shared.Complete(copy.Target, copy.Bytes, copy.Barrier.Slot, copy.Phase + 1);
        new ReadOnlySpan<byte>(block.Memory.Find(copy.Source, copy.Bytes), copy.Bytes).CopyTo(new Span<byte>(target, copy.Bytes));
        copy.Barrier.Deliver(copy.Bytes, copy.Phase);
        return true;
    }
}
