namespace MASQuant.Engine.Gemm;

/// <summary>The numbers that an integer kernel multiplies.</summary>
internal enum CodeForm
{
    /// <summary>Unsigned 8-bit weights (code + offset) with signed 8-bit tokens; the offset is taken back with the sum of the token's codes.</summary>
    Bytes,

    /// <summary>Signed 16-bit weights and tokens.</summary>
    Words,

    /// <summary>Signed 8-bit weights and tokens, tokens in tiles of 16 × 64 codes; 4-bit weights keep their offset.</summary>
    Tiles,
}
