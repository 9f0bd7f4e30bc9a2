namespace MASQuant.Ptx.Memory;

/// <summary>What is known about the use of 4 bytes of shared memory since the block started.</summary>
internal struct SharedWord
{
    /// <summary>More than one warp, or more than one lane.</summary>
    public const short Many = short.MaxValue;

    /// <summary>Written by atomic operations alone, of whatever threads.</summary>
    public const short Atomic = short.MinValue;

    /// <summary>One bit for each byte that holds a value.</summary>
    public byte Written;

    /// <summary>An asynchronous copy is on its way.</summary>
    public bool Pending;

    /// <summary>The barrier epoch of the last write; 0 before the first.</summary>
    public int WriteEpoch;

    public int WriteSync;
    public short WriteWarp;
    public short WriteLane;

    /// <summary>The barrier epoch of the last read.</summary>
    public int ReadEpoch;

    public int ReadSync;
    public short ReadWarp;
    public short ReadLane;
}
