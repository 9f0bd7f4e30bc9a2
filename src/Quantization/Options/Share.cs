using System.Globalization;

namespace MASQuant.Quantization.Options;

/// <summary>One of several nearly equal shares, written <c>I/N</c> as schedulers number the tasks of an array: <c>0/8</c> … <c>7/8</c>.</summary>
/// <param name="Index">Which one, from 0.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct Share(int Index, int Count)
{
    /// <summary>What <see cref="TryParse"/> reads, for people.</summary>
    public const string Allowed = "I/N with I from 0 to N − 1";

    // More tasks than any scheduler's array holds are a typing error.
    private const int MaxCount = 100_000;

    /// <summary>Reads a share.</summary>
    public static bool TryParse(string text, out Share share)
    {
        share = default;
        if (text.Split('/') is not [var index, var count] || !TryNumber(index, out var i) || !TryNumber(count, out var n) || i >= n || n > MaxCount)
        {
            return false;
        }

        share = new Share(i, n);
        return true;
    }

    /// <summary>The share's places among <paramref name="items"/>: consecutive, and no share has two more than another.</summary>
    public Range Of(int items) => (int)((long)Index * items / Count)..(int)((Index + 1L) * items / Count);

    /// <summary>The text that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
