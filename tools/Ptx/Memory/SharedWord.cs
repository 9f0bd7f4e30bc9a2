namespace MASQuant.Ptx.Memory;

/// <summary>What is known about the use of 4 bytes of shared memory since the block started. A clock of 0 is before everything.</summary>
internal struct SharedWord
{
    /// <summary>More than one lane.</summary>
    public const short Many = short.MaxValue;

    /// <summary>One bit for each byte that holds a value.</summary>
    public byte Written;

    /// <summary>Whether the bytes are ordinary ones.</summary>
    public SharedUse Use;

    /// <summary>Who wrote last: a warp, or the copies that report to a barrier.</summary>
    public short WriteAgent;

    public short WriteLane;
    public int WriteClock;

    /// <summary>The warp that read last.</summary>
    public short ReadWarp;

    public short ReadLane;
    public int ReadClock;

    /// <summary>The warps that read before it since the last write, and that it is not ordered behind: one of the <see cref="WarpSets"/>.</summary>
    public int OtherReaders;

    /// <summary>The warps that have updated it atomically since the last write, which need no order among themselves: one of the <see cref="WarpSets"/>.</summary>
    public int Updaters;
}
