namespace MASQuant.Ptx.Syntax;

/// <summary>A decoded kernel.</summary>
internal sealed class PtxEntry
{
    public required string Name { get; init; }

    public required Instruction[] Code { get; init; }

    /// <summary>The size of the parameter block in bytes.</summary>
    public required int ParameterBytes { get; init; }

    /// <summary>Bytes of static shared memory; dynamic memory follows.</summary>
    public required int StaticSharedBytes { get; init; }

    public required int MaxThreads { get; init; }

    public required int Predicates { get; init; }

    /// <summary>Registers of 32 bits; the last ones hold <see cref="WordConstants"/>.</summary>
    public required int Words { get; init; }

    public required int Longs { get; init; }

    public required (int Register, uint Value)[] WordConstants { get; init; }

    public required (int Register, ulong Value)[] LongConstants { get; init; }

    /// <summary>Special registers in use.</summary>
    public required (int Register, string Name)[] Specials { get; init; }
}
