namespace MASQuant.Ptx.Execution;

/// <summary>How a block tells other blocks that its results are in global memory: every warp stores and fences, all meet at a barrier, one thread counts up. Whoever stores without that is found out.</summary>
internal sealed class Publication
{
    private readonly HashSet<int> _unfenced = [];
    private int _storedBy = -1;
    private int _countedBy = -1;

    /// <summary>Starts a block.</summary>
    public void Reset()
    {
        _unfenced.Clear();
        Barrier();
    }

    /// <summary>All threads have met.</summary>
    public void Barrier() => (_storedBy, _countedBy) = (-1, -1);

    /// <summary><paramref name="warp"/> stores to global memory.</summary>
    public void Store(Warp warp)
    {
        if (_countedBy >= 0 && _countedBy != warp.Index)
        {
            throw new PtxException(PtxFault.Race, $"warp {warp.Index} stores to global memory with no barrier between it and the atomic operation of warp {_countedBy}");
        }

        _storedBy = _storedBy < 0 || _storedBy == warp.Index ? warp.Index : int.MaxValue;
        _unfenced.Add(warp.Index);
    }

    /// <summary><paramref name="warp"/> makes its stores visible.</summary>
    public void Fence(Warp warp) => _unfenced.Remove(warp.Index);

    /// <summary><paramref name="warp"/> counts up.</summary>
    public void Count(Warp warp)
    {
        if (_unfenced.Count > 0)
        {
            throw new PtxException(PtxFault.Race, $"an atomic operation follows stores of warp {_unfenced.First()} to global memory that no fence has made visible");
        }

        if (_storedBy >= 0 && _storedBy != warp.Index)
        {
            throw new PtxException(PtxFault.Race, "an atomic operation follows stores of other warps to global memory with no barrier between");
        }

        _countedBy = warp.Index;
    }
}
