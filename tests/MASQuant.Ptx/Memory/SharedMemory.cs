using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Ptx.Execution;

namespace MASQuant.Ptx.Memory;

/// <summary>A block's shared memory, with a record per 4-byte word of who used it since which barrier. Two threads that use one word, one of them writing, must have a barrier of the block
/// between them, or one of the warp if they are in the same; neighbours within a word count as the same place.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private const int WordBytes = sizeof(uint);
    private readonly byte* _bytes;
    private readonly SharedWord[] _words;
    private int _epoch;
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
        _unseen = 0;
        _epoch = 1;
    }

    /// <summary>All threads have met.</summary>
    public void Barrier() => _epoch++;

    /// <summary>The bytes at <paramref name="address"/>, about to be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Read(Warp warp, int lane, ulong address, int bytes)
    {
        Check(address, bytes);
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            ref var use = ref _words[word];
            if (use.Pending || (use.Written != 0xF && (use.Written & Mask(address, bytes, word)) != Mask(address, bytes, word)))
            {
                Refuse(use, address);
            }

            if (use.WriteEpoch == _epoch && Unordered(warp, lane, use.WriteWarp, use.WriteLane, use.WriteSync))
            {
                Race(warp, lane, address, "reads", use.WriteWarp, use.WriteLane, "wrote");
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
        if (use.Pending || use.Written != 0xF)
        {
            Refuse(use, address);
        }

        if (use.ReadEpoch == _epoch && Unordered(warp, lane, use.ReadWarp, use.ReadLane, use.ReadSync))
        {
            Race(warp, lane, address, "updates", use.ReadWarp, use.ReadLane, "read");
        }

        if (use.WriteEpoch != _epoch)
        {
            (use.WriteEpoch, use.WriteWarp, use.WriteLane, use.WriteSync) = (_epoch, SharedWord.Atomic, SharedWord.Many, warp.SyncEpoch);
        }
        else if (use.WriteWarp != SharedWord.Atomic && Unordered(warp, lane, use.WriteWarp, use.WriteLane, use.WriteSync))
        {
            Race(warp, lane, address, "updates", use.WriteWarp, use.WriteLane, "wrote");
        }

        _unseen |= 1u << warp.Index;
        return _bytes + address;
    }

    private byte* Note(Warp warp, int lane, ulong address, int bytes)
    {
        Check(address, bytes);
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            ref var use = ref _words[word];
            if (use.Pending)
            {
                throw new PtxException(PtxFault.IncompleteCopy, $"shared address {address} is written while a copy to it is on its way");
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
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            _words[word].Pending = true;
        }
    }

    /// <summary>The bytes at <paramref name="address"/>, to which an announced copy arrives: its thread has waited for it.</summary>
    public byte* Complete(Warp warp, int lane, ulong address, int bytes)
    {
        _unseen |= 1u << warp.Index;
        for (var word = (int)address / WordBytes; word <= ((int)address + bytes - 1) / WordBytes; word++)
        {
            ref var use = ref _words[word];
            use.Pending = false;
            (use.WriteEpoch, use.WriteWarp, use.WriteLane, use.WriteSync) = (_epoch, (short)warp.Index, (short)lane, warp.SyncEpoch);
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

    private static bool Unordered(Warp warp, int lane, short otherWarp, short otherLane, int otherSync)
        => otherWarp != warp.Index || (otherLane != lane && otherSync == warp.SyncEpoch);

    private void NoteRead(ref SharedWord use, Warp warp, int lane)
    {
        if (use.ReadEpoch != _epoch)
        {
            (use.ReadEpoch, use.ReadWarp, use.ReadLane, use.ReadSync) = (_epoch, (short)warp.Index, (short)lane, warp.SyncEpoch);
        }
        else if (use.ReadWarp != warp.Index)
        {
            use.ReadWarp = SharedWord.Many;
        }
        else if (use.ReadSync != warp.SyncEpoch)
        {
            (use.ReadLane, use.ReadSync) = ((short)lane, warp.SyncEpoch);
        }
        else if (use.ReadLane != lane)
        {
            use.ReadLane = SharedWord.Many;
        }
    }

    private void NoteWrite(ref SharedWord use, Warp warp, int lane, ulong address)
    {
        if (use.WriteEpoch == _epoch && Unordered(warp, lane, use.WriteWarp, use.WriteLane, use.WriteSync))
        {
            Race(warp, lane, address, "writes", use.WriteWarp, use.WriteLane, "wrote");
        }

        if (use.ReadEpoch == _epoch && Unordered(warp, lane, use.ReadWarp, use.ReadLane, use.ReadSync))
        {
            Race(warp, lane, address, "writes", use.ReadWarp, use.ReadLane, "read");
        }

        (use.WriteEpoch, use.WriteWarp, use.WriteLane, use.WriteSync) = (_epoch, (short)warp.Index, (short)lane, warp.SyncEpoch);
    }

    private void Check(ulong address, int bytes)
    {
        if (address + (ulong)bytes > (ulong)Bytes)
        {
            throw new PtxException(PtxFault.OutOfBounds, $"{bytes} bytes at shared address {address} of {Bytes}");
        }
    }

    private static void Refuse(in SharedWord use, ulong address) => throw (use.Pending
        ? new PtxException(PtxFault.IncompleteCopy, $"shared address {address} is read while a copy to it is on its way")
        : new PtxException(PtxFault.UninitializedShared, $"shared address {address} has not been written"));

    private static void Race(Warp warp, int lane, ulong address, string action, short otherWarp, short otherLane, string otherAction)
        => throw new PtxException(PtxFault.Race,
            $"warp {warp.Index} lane {lane} {action} shared address {address}, which {Name("warp", otherWarp)} {Name("lane", otherLane)} {otherAction} since the last barrier");

    private static string Name(string kind, short number) => number is SharedWord.Many or SharedWord.Atomic ? $"several {kind}s" : $"{kind} {number}";
}
