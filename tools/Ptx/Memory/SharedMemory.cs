using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Ptx.Execution;

namespace MASQuant.Ptx.Memory;

/// <summary>A block's shared memory, with a record per 4-byte word of who used it last. Two threads that use one word, one of them writing, must be ordered: by a barrier of the block, by an
/// <c>mbarrier</c>, or within a warp by one of the warp (<see cref="VectorClock"/>); neighbours within a word count as the same place.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private const int WordBytes = sizeof(uint);
    private readonly byte* _bytes;
    private readonly SharedWord[] _words;
    private readonly WarpSets _sets = new();
    private uint _unseen;

    public SharedMemory(int bytes)
    {
        Bytes = bytes;
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)bytes + 64, 1024);
        _words = new SharedWord[(bytes + WordBytes - 1) / WordBytes];
    }

    public int Bytes { get; }

    /// <summary>Starts a block: nothing has been written.</summary>
    public void Reset()
    {
        Array.Clear(_words);
        _sets.Clear();
        _unseen = 0;
    }

    /// <summary>The bytes at <paramref name="address"/>, about to be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Read(Warp warp, int lane, ulong address, int bytes)
    {
        Check(address, bytes);
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            ref var use = ref _words[word];
            if (use.Use != SharedUse.Value || (use.Written != 0xF && (use.Written & Mask(address, bytes, word)) != Mask(address, bytes, word)))
            {
                Refuse(use, address);
            }

            if (Unordered(warp, lane, use.WriteAgent, use.WriteLane, use.WriteClock))
            {
                Race(warp, lane, address, "reads", use.WriteAgent, use.WriteLane, "wrote");
            }

            if (use.Updaters != 0)
            {
                RequireOrdered(use.Updaters, warp, lane, address, "reads", "updated");
            }

            NoteRead(ref use, warp, lane);
        }

        return _bytes + address;
    }

    /// <summary><c>fence.proxy.async</c>: what <paramref name="warp"/> wrote becomes visible to the warpgroup's MMA.</summary>
    public void MakeVisible(Warp warp) => _unseen &= ~(1u << warp.Index);

    /// <summary>The warpgroup's MMA is about to read: every warp's writes must be visible to it.</summary>
    public void RequireVisible()
    {
        if (_unseen != 0)
        {
            throw new PtxException(PtxFault.Race, "shared memory is written without a fence.proxy.async before wgmma reads it");
        }
    }

    /// <summary>The bytes at <paramref name="address"/>, about to be written.</summary>
    public byte* Write(Warp warp, int lane, ulong address, int bytes)
    {
        _unseen |= 1u << warp.Index;
        return Note(warp, lane, address, bytes);
    }

    /// <summary>The word at <paramref name="address"/>, about to be updated atomically: other threads may do the same without a barrier, but neither read nor write it.</summary>
    public byte* Update(Warp warp, int lane, ulong address)
    {
        Check(address, WordBytes);
        if (address % WordBytes != 0)
        {
            throw new PtxException(PtxFault.Misaligned, $"lane {lane} updates 4 bytes at shared address {address}");
        }

        ref var use = ref _words[address / WordBytes];
        if (use.Use != SharedUse.Value || use.Written != 0xF)
        {
            Refuse(use, address);
        }

        RequireReadsOrdered(ref use, warp, lane, address, "updates");
        if (Unordered(warp, lane, use.WriteAgent, use.WriteLane, use.WriteClock))
        {
            Race(warp, lane, address, "updates", use.WriteAgent, use.WriteLane, "wrote");
        }

        use.Updaters = _sets.Add(use.Updaters, warp.Index, warp.Clock[warp.Index]);
        _unseen |= 1u << warp.Index;
        return _bytes + address;
    }

    private byte* Note(Warp warp, int lane, ulong address, int bytes)
    {
        Check(address, bytes);
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            ref var use = ref _words[word];
            if (use.Use != SharedUse.Value)
            {
                Refuse(use, address);
            }

            NoteWrite(ref use, warp, lane, address);
            use.Written |= Mask(address, bytes, word);
        }

        return _bytes + address;
    }

    /// <summary>Notes that a copy to <paramref name="address"/> is on its way: a write by the thread that starts it.</summary>
    public void Announce(Warp warp, int lane, ulong address, int bytes)
    {
        Note(warp, lane, address, bytes);
        SetUse(address, bytes, SharedUse.Pending);
    }

    /// <summary>Makes an <c>mbarrier</c> of the bytes at <paramref name="address"/>.</summary>
    public void Reserve(Warp warp, int lane, ulong address, int bytes)
    {
        Note(warp, lane, address, bytes);
        SetUse(address, bytes, SharedUse.Barrier);
    }

    /// <summary>The bytes at <paramref name="address"/>, to which an announced copy arrives: its thread has waited for it.</summary>
    public byte* Complete(Warp warp, int lane, ulong address, int bytes)
    {
        _unseen |= 1u << warp.Index;
        return Complete(address, bytes, warp.Index, warp.Clock[warp.Index], lane);
    }

    /// <summary>The bytes at <paramref name="address"/>, to which the copy engine writes: whoever is to read them waits for <paramref name="clock"/> of the barrier it reports to.</summary>
    public byte* Complete(ulong address, int bytes, int agent, int clock, int lane = SharedWord.Many)
    {
        SetUse(address, bytes, SharedUse.Value);
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            ref var use = ref _words[word];
            (use.WriteAgent, use.WriteLane, use.WriteClock) = ((short)agent, (short)lane, clock);
        }

        return _bytes + address;
    }

    public void Dispose() => NativeMemory.AlignedFree(_bytes);

    private static byte Mask(ulong address, int bytes, int word)
    {
        if (bytes >= WordBytes)
        {
            return 0xF;
        }

        return (byte)(((1 << bytes) - 1) << ((int)address - (word * WordBytes)));
    }

    private void SetUse(ulong address, int bytes, SharedUse value)
    {
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            _words[word].Use = value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Unordered(Warp warp, int lane, short agent, short otherLane, int clock)
        => agent == warp.Index ? otherLane != lane && clock >= warp.Clock[agent] : clock > warp.ClockOf(lane)[agent];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void NoteRead(ref SharedWord use, Warp warp, int lane)
    {
        var clock = warp.Clock[warp.Index];
        if (use.ReadWarp == warp.Index && use.ReadClock == clock)
        {
            use.ReadLane = use.ReadLane == lane ? use.ReadLane : SharedWord.Many;
            return;
        }

        if (use.ReadWarp != warp.Index && use.ReadClock > warp.ClockOf(lane)[use.ReadWarp])
        {
            use.OtherReaders = _sets.Add(use.OtherReaders, use.ReadWarp, use.ReadClock);
        }

        (use.ReadWarp, use.ReadLane, use.ReadClock) = ((short)warp.Index, (short)lane, clock);
    }

    private void NoteWrite(ref SharedWord use, Warp warp, int lane, ulong address)
    {
        if (Unordered(warp, lane, use.WriteAgent, use.WriteLane, use.WriteClock))
        {
            Race(warp, lane, address, "writes", use.WriteAgent, use.WriteLane, "wrote");
        }

        RequireReadsOrdered(ref use, warp, lane, address, "writes");
        RequireOrdered(use.Updaters, warp, lane, address, "writes", "updated");
        (use.WriteAgent, use.WriteLane, use.WriteClock) = ((short)warp.Index, (short)lane, warp.Clock[warp.Index]);
        (use.ReadClock, use.OtherReaders, use.Updaters) = (0, 0, 0);
    }

    private void RequireReadsOrdered(ref SharedWord use, Warp warp, int lane, ulong address, string action)
    {
        if (Unordered(warp, lane, use.ReadWarp, use.ReadLane, use.ReadClock))
        {
            Race(warp, lane, address, action, use.ReadWarp, use.ReadLane, "read");
        }

        RequireOrdered(use.OtherReaders, warp, lane, address, action, "read");
    }

    private void RequireOrdered(int set, Warp warp, int lane, ulong address, string action, string otherAction)
    {
        foreach (var (other, clock) in _sets[set])
        {
            if (Unordered(warp, lane, (short)other, SharedWord.Many, clock))
            {
                Race(warp, lane, address, action, (short)other, SharedWord.Many, otherAction);
            }
        }
    }

    private void Check(ulong address, int bytes)
    {
        if (address + (ulong)bytes > (ulong)Bytes)
        {
            throw new PtxException(PtxFault.OutOfBounds, $"{bytes} bytes at shared address {address} of {Bytes}");
        }
    }

    private static void Refuse(in SharedWord use, ulong address) => throw (use.Use switch
    {
        SharedUse.Pending => new PtxException(PtxFault.IncompleteCopy, $"shared address {address} is used while a copy to it is on its way"),
        SharedUse.Barrier => new PtxException(PtxFault.InvalidBarrier, $"shared address {address} belongs to an mbarrier"),
        _ => new PtxException(PtxFault.UninitializedShared, $"shared address {address} has not been written"),
    });

    private static void Race(Warp warp, int lane, ulong address, string action, short agent, short otherLane, string otherAction)
    {
        var other = agent >= VectorClock.MaxWarps ? "a bulk copy" : $"warp {agent} {(otherLane == SharedWord.Many ? "several lanes" : $"lane {otherLane}")}";
        throw new PtxException(PtxFault.Race, $"warp {warp.Index} lane {lane} {action} shared address {address}, which {other} {otherAction}, and nothing orders the two");
    }
}
