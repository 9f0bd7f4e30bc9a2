using System.Globalization;
using System.Text;

namespace MASQuant.Engine.Text;

/// <summary>
/// Cuts text into the pieces inside which tokens are merged, as <see cref="Pattern"/> does. Written by hand because .NET's regular expressions
/// see UTF-16 units: they take a letter beyond U+FFFF for two symbols.
/// </summary>
internal sealed class QwenSplitter
{
    private readonly bool _keepsMarks;

    private QwenSplitter(string pattern, bool keepsMarks) => (Pattern, _keepsMarks) = (pattern, keepsMarks);

    /// <summary>A combining mark is a symbol.</summary>
    public static QwenSplitter Letters { get; } = new(
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", keepsMarks: false);

    /// <summary>A combining mark is a letter.</summary>
    public static QwenSplitter LettersAndMarks { get; } = new(
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", keepsMarks: true);

    /// <summary>Those that are supported.</summary>
    public static IReadOnlyList<QwenSplitter> All { get; } = [Letters, LettersAndMarks];

    /// <summary>The <c>Split</c> pattern in files.</summary>
    public string Pattern { get; }

    private enum Kind
    {
        End,
        Letter,
        Number,
        NewLine,
        Space,
        Other,
    }

    /// <summary>The length of the piece that <paramref name="text"/> (not empty) begins with.</summary>
    public int FirstPiece(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        var first = Classify(text, 0, out var length);
        var second = Classify(text, length, out _);
        if (first == Kind.Letter || (second == Kind.Letter && first is Kind.Space or Kind.Other))
        {
            return RunOf(Kind.Letter, text, first == Kind.Letter ? 0 : length);
        }

        if (first == Kind.Number)
        {
            return length;
        }

        if (first == Kind.Other || (text[0] == ' ' && second == Kind.Other))
        {
            return RunOf(Kind.NewLine, text, RunOf(Kind.Other, text, first == Kind.Other ? 0 : length));
        }

        return WhiteSpace(text);
    }

    // \s*[\r\n]+ | \s+(?!\S) | \s+ : up to the last line end; else all but the last space, which the next word takes; else that one.
    private static int WhiteSpace(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && char.IsWhiteSpace(text[end]))
        {
            end++;
        }

        var lineEnd = text[..end].LastIndexOfAny('\r', '\n') + 1;
        if (lineEnd > 0)
        {
            return lineEnd;
        }

        return end == text.Length || end == 1 ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'')
        {
            return 0;
        }
        // U+017F, the long s, is the one further character whose case folds to a letter of the pattern.
        if (text[1] is 's' or 'S' or '\u017F' or 't' or 'T' or 'm' or 'M' or 'd' or 'D')
        {
            return 2;
        }

        if (text.Length < 3)
        {
            return 0;
        }

        return ((char)(text[1] | 0x20), (char)(text[2] | 0x20)) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    private int RunOf(Kind kind, ReadOnlySpan<char> text, int at)
    {
        while (Classify(text, at, out var length) == kind)
        {
            at += length;
        }

        return at;
    }

    private Kind Classify(ReadOnlySpan<char> text, int at, out int length)
    {
        length = 1;
        if (at >= text.Length)
        {
            return Kind.End;
        }

        var character = text[at];
        if (char.IsAscii(character))
        {
            if (char.IsAsciiLetter(character))
            {
                return Kind.Letter;
            }

            if (char.IsAsciiDigit(character))
            {
                return Kind.Number;
            }

            if (character is '\r' or '\n')
            {
                return Kind.NewLine;
            }

            return char.IsWhiteSpace(character) ? Kind.Space : Kind.Other;
        }

        if (char.IsWhiteSpace(character))
        {
            return Kind.Space;
        }

        Rune.DecodeFromUtf16(text[at..], out var rune, out length);
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark when _keepsMarks => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
    }
}
