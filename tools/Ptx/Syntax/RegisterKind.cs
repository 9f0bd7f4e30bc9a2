namespace MASQuant.Ptx.Syntax;

/// <summary>The register files of a warp. 16-bit registers live in the low halves of 32-bit ones.</summary>
internal enum RegisterKind
{
    Predicate,
    Word,
    Long,
}
