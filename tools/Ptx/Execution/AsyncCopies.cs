namespace MASQuant.Ptx.Execution;

/// <summary>The <c>cp.async</c> copies of a warp's lanes, in groups. Their bytes arrive when their thread waits for them: the latest moment that the instruction set allows.</summary>
internal sealed unsafe class AsyncCopies(Warp warp)
{
    private readonly Queue<(int Lane, ulong Target, ulong Source, int Bytes, int Read, int Group)> _copies = new();
    private readonly int[] _groups = new int[Warp.Lanes];
    private readonly int[] _completed = new int[Warp.Lanes];

    public void Clear()
    {
        _copies.Clear();
        Array.Clear(_groups);
        Array.Clear(_completed);
    }

    /// <summary>Starts a copy of <paramref name="read"/> bytes, filled up with zeros to <paramref name="bytes"/>.</summary>
    public void Start(int lane, ulong target, ulong source, int bytes, int read)
    {
        if (read > 0)
        {
            warp.Block.Memory.Covering(source, read);
        }

        warp.Block.Shared.Announce(warp, lane, target, bytes);
        _copies.Enqueue((lane, target, source, bytes, read, _groups[lane]));
    }

    /// <summary>Ends the current group of each lane.</summary>
    public void Commit(uint mask)
    {
        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            _groups[lane] += (int)(mask >> lane) & 1;
        }
    }

    /// <summary>Completes all but the last <paramref name="pending"/> committed groups of each lane.</summary>
    public void Wait(uint mask, int pending)
    {
        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            if ((mask >> lane & 1) != 0)
            {
                _completed[lane] = Math.Max(_completed[lane], _groups[lane] - pending);
            }
        }

        for (var count = _copies.Count; count > 0; count--)
        {
            var copy = _copies.Dequeue();
            if (copy.Group >= _completed[copy.Lane])
            {
                _copies.Enqueue(copy);
                continue;
            }

            var target = new Span<byte>(warp.Block.Shared.Complete(warp, copy.Lane, copy.Target, copy.Bytes), copy.Bytes);
            if (copy.Read > 0)
            {
                new ReadOnlySpan<byte>(warp.Block.Memory.Find(copy.Source, copy.Read), copy.Read).CopyTo(target);
            }

            target[copy.Read..].Clear();
        }
    }
}
