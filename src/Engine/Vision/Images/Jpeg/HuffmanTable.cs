namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>A canonical Huffman code of JPEG (T.81, annex C).</summary>
internal sealed class HuffmanTable
{
    /// <summary>The longest code, in bits.</summary>
    public const int MaxLength = 16;

    private const int FastLength = 9;

    // By the next 9 bits: the symbol and the length of a code that fits into them, or length 0.
    private readonly (byte Symbol, byte Length)[] _fast = new (byte, byte)[1 << FastLength];

    // Per length: the first number above its codes, and what to add to a code to get its symbol's index.
    private readonly int[] _end = new int[MaxLength + 1];
    private readonly int[] _offset = new int[MaxLength + 1];
    private readonly byte[] _symbols;

    /// <summary>Creates a table from the number of codes of each length 1 … 16 and the symbols in the order of their codes.</summary>
    /// <exception cref="InvalidDataException">There are not that many codes of some length.</exception>
    public HuffmanTable(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        _symbols = symbols.ToArray();
        var (code, index) = (0, 0);
        for (var length = 1; length <= MaxLength; length++)
        {
            _offset[length] = index - code;
            for (var i = 0; i < counts[length - 1]; i++, code++, index++)
            {
                if (length <= FastLength && code < 1 << length)
                {
                    _fast.AsSpan(code << (FastLength - length), 1 << (FastLength - length)).Fill((_symbols[index], (byte)length));
                }
            }

            if (code > 1 << length)
            {
                throw new InvalidDataException("a JPEG Huffman table has more codes than there are");
            }

            _end[length] = code;
            code <<= 1;
        }
    }

    /// <summary>The symbol whose code begins the 16 bits <paramref name="bits"/>, and its length.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public (byte Symbol, byte Length) Find(int bits)
    {
        var entry = _fast[bits >> (MaxLength - FastLength)];
        if (entry.Length > 0)
        {
            return entry;
        }

        for (var length = FastLength + 1; length <= MaxLength; length++)
        {
            var code = bits >> (MaxLength - length);
            if (code < _end[length])
            {
                return (_symbols[code + _offset[length]], (byte)length);
            }
        }

        throw new InvalidDataException("the JPEG has a code that is in no Huffman table");
    }
}
