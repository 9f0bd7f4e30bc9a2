namespace MASQuant.Cuda.Checks;

/// <summary>Where docs/cuda.md puts the 4-bit codes of a token: of every 8, code i lies in the low and code i + 4 in the high half of byte i.</summary>
internal static class NibbleOrder
{
    /// <summary>Byte <paramref name="index"/> of a token with these codes.</summary>
    public static byte Pack(Func<int, sbyte> codes, int index)
    {
        var first = (index / 4 * 8) + (index % 4);
        return (byte)((codes(first) & 15) | (codes(first + 4) << 4));
    }

    /// <summary>Code <paramref name="k"/> of a token that starts at byte <paramref name="start"/>.</summary>
    public static sbyte Unpack(ReadOnlySpan<sbyte> bytes, int start, int k)
    {
        int value = bytes[start + (k / 8 * 4) + (k % 4)];
        return (sbyte)(k % 8 < 4 ? (sbyte)(value << 4) >> 4 : value >> 4);
    }
}
