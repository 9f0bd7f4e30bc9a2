using System.Globalization;

namespace MASQuant.Quantization.Options;

/// <summary>Decoder blocks that an override names: <c>3</c>, <c>0-5</c> or <c>*</c>.</summary>
/// <param name="First">The first block, from 0.</param>
/// <param name="Last">The last block; <see cref="int.MaxValue"/> for <c>*</c>.</param>
public readonly record struct BlockRange(int First, int Last)
{
    /// <summary>Every block.</summary>
    public static BlockRange All => new(0, int.MaxValue);

    /// <summary>Reads a range.</summary>
    public static bool TryParse(string text, out BlockRange range)
    {
        range = All;
        if (text == "*")
        {
            return true;
        }

        var ends = text.Split('-');
        if (ends.Length > 2 || !TryBlock(ends[0], out var first) || !TryBlock(ends[^1], out var last) || first > last)
        {
            return false;
        }

        range = new BlockRange(first, last);
        return true;
    }

    /// <summary>Whether the range holds a block.</summary>
    public bool Contains(int layer) => layer >= First && layer <= Last;

    /// <summary>Whether it names a block that a model of so many blocks lacks.</summary>
    public bool Exceeds(int layers) => this != All && Last >= layers;

    /// <summary>The text that <see cref="TryParse"/> reads.</summary>
    public override string ToString()
        => this == All ? "*" : First == Last ? First.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");

    private static bool TryBlock(string text, out int block)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out block) && block < int.MaxValue;
}
