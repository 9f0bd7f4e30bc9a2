namespace MASQuant.Ptx.Memory;

/// <summary>What a word of shared memory serves as.</summary>
internal enum SharedUse : byte
{
    Value,

    /// <summary>An asynchronous copy is on its way.</summary>
    Pending,

    /// <summary>Part of an <c>mbarrier</c>, which only its own instructions may touch.</summary>
    Barrier,
}
