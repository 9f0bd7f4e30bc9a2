namespace MASQuant.Engine.Text;

/// <summary>The byte-level alphabet of GPT-2: every byte is written as one printable character, so that a vocabulary of byte strings fits JSON.</summary>
internal static class ByteAlphabet
{
    private const int FirstShifted = 0x100;
    private static readonly short[] Bytes = Build();

    /// <summary>Turns the UTF-8 form of a vocabulary entry into the bytes it stands for.</summary>
    /// <param name="entry">UTF-8 characters of the alphabet.</param>
    /// <param name="bytes">At least as long as <paramref name="entry"/>.</param>
    /// <returns>The number of bytes, or −1 when a character is not of the alphabet.</returns>
    public static int Decode(ReadOnlySpan<byte> entry, Span<byte> bytes)
    {
        var count = 0;
        for (var i = 0; i < entry.Length; i++)
        {
            // The alphabet ends at U+0143, so a character is one or two bytes of UTF-8.
            int character = entry[i];
            if (character >= 0x80)
            {
                if ((character & 0xE0) != 0xC0 || i + 1 == entry.Length)
                {
                    return -1;
                }

                character = ((character & 0x1F) << 6) | (entry[++i] & 0x3F);
            }

            if (character >= Bytes.Length || Bytes[character] < 0)
            {
                return -1;
            }

            bytes[count++] = (byte)Bytes[character];
        }

        return count;
    }

    private static short[] Build()
    {
        var bytes = new short[FirstShifted + 68];
        Array.Fill(bytes, (short)-1);
        var shifted = FirstShifted;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            bytes[printable ? value : shifted++] = (short)value;
        }

        return bytes;
    }
}
