namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>How wide a drawing's text is at most, whichever of the style sheet's fonts a reader has: by the advance widths of DejaVu Sans Bold, the widest of them.</summary>
internal static class TextWidth
{
    /// <summary>The style sheet's size of text in drawings.</summary>
    public const double FontSize = 12;

    /// <summary>From one line to the next.</summary>
    public const double LineHeight = 14;

    // Hundredths of the font's size, of the letters from ' ' to '~'.
    private static readonly byte[] Advances =
    [
        35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 59,
        100, 78, 77, 74, 84, 69, 69, 83, 84, 38, 38, 78, 64, 100, 84, 86, 74, 86, 78, 73, 69, 82, 78, 111, 78, 73, 73, 46, 37, 46, 84, 50,
        50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35, 105, 72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84,
    ];

    // Of Latin, Greek and Cyrillic letters and signs; what comes from U+1100 on, Chinese among it, fills a square, and emoji more.
    private const int Other = 90;
    private const int Square = 125;
    private const int MaxLines = 6;

    /// <summary>The width of a line, in the drawing's units.</summary>
    public static double Of(string text) => text.Sum(Advance) * FontSize / 100;

    /// <summary>Cuts a text into lines: at blanks and behind signs where it can, and within words where it must. Nobody reads more than a few; the last then ends with an ellipsis.</summary>
    public static IReadOnlyList<string> Lines(string text, double width)
    {
        var lines = new List<string>();
        while (text.Length > 1 && Of(text) > width)
        {
            if (lines.Count == MaxLines - 1)
            {
                lines.Add(text[..Fitting(text, width - Of("…"))] + "…");
                return lines;
            }

            var fits = Fitting(text, width);
            var pause = text.LastIndexOfAny([' ', '.', '_', '-', '/', ','], fits - 1) + 1;
            var cut = pause > fits / 2 ? pause : char.IsHighSurrogate(text[fits - 1]) && fits > 1 ? fits - 1 : fits;
            lines.Add(text[..cut].TrimEnd());
            text = text[cut..].TrimStart();
        }

        lines.Add(text);
        return lines;
    }

    private static int Fitting(string text, double width)
    {
        var (fits, advance) = (1, Advance(text[0]));
        while (fits < text.Length && (advance += Advance(text[fits])) * FontSize / 100 <= width)
        {
            fits++;
        }

        return fits;
    }

    private static int Advance(char letter) => letter is >= ' ' and <= '~' ? Advances[letter - ' '] : letter is >= '\u1100' and not (>= '\u2000' and < '\u2E80') ? Square : Other;
}
