namespace MASQuant.Ptx;

/// <summary>What the interpreter refuses to pass over in silence.</summary>
public enum PtxFault
{
    /// <summary>An instruction or a part of the syntax that the interpreter does not know.</summary>
    Unknown,

    /// <summary>An access that no allocation covers in full.</summary>
    OutOfBounds,

    /// <summary>An address that is not a multiple of the bytes accessed.</summary>
    Misaligned,

    /// <summary>A register that nothing has been written to.</summary>
    UninitializedRegister,

    /// <summary>Shared memory that nothing has been written to.</summary>
    UninitializedShared,

    /// <summary>Two threads use one word of shared memory, one of them writing, with nothing that orders them.</summary>
    Race,

    /// <summary>Shared memory that an asynchronous copy has not been waited for.</summary>
    IncompleteCopy,

    /// <summary>A barrier that not all threads reach.</summary>
    DivergentBarrier,

    /// <summary>An instruction of the whole warp that not all its lanes reach.</summary>
    DivergentWarp,

    /// <summary>An mbarrier that is not initialized, or at which more arrives than it counts.</summary>
    InvalidBarrier,

    /// <summary>Threads wait for what can no longer come.</summary>
    Deadlock,

    /// <summary>A launch that does not fit the kernel.</summary>
    Launch,
}
