using System.Text;
using System.Text.RegularExpressions;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

public class QwenSplitterTests
{
    // Within U+0000–U+FFFF .NET's engine reads the pattern as the reference does, but for the long s, which the goldens cover.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Agrees_with_the_pattern_on_the_basic_plane(bool keepsMarks)
    {
        var splitter = keepsMarks ? QwenSplitter.LettersAndMarks : QwenSplitter.Letters;
        const string alphabet = "aZsStTrReEvVmMlLdD''''  \t\r\n\n\u00A0\u3000\u2028\u0085\v019²Ⅷ٣,.!-_<|>é日本ʰǅ\u0301\u0903\u20DD\u200D\u20AC\uFFFD\u0000";
        var regex = new Regex(splitter.Pattern, RegexOptions.CultureInvariant);
        var random = new Random(1);
        for (var trial = 0; trial < 5000; trial++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            Assert.Equal(regex.Matches(text).Select(m => m.Value), Pieces(text, splitter));
        }
    }

    [Theory]
    [InlineData("x𝒳y 𠀀", "x𝒳y", " 𠀀")] // Letters beyond U+FFFF.
    [InlineData("𝟘𝟙", "𝟘", "𝟙")] // Digits: one a piece.
    [InlineData("🙂🙂\n\na", "🙂🙂\n\n", "a")] // Symbols.
    [InlineData("🙂a", "🙂a")] // One symbol goes with the word after it.
    [InlineData("it'ſt 'ſt", "it", "'ſ", "t", " '", "ſt")] // The long s ends a contraction too.
    public void SeesCodePoints(string text, params string[] pieces) => Assert.All(QwenSplitter.All, splitter => Assert.Equal(pieces, Pieces(text, splitter)));

    [Theory]
    [InlineData("e\u0323\u0301 n", "e\u0323\u0301", " n")]
    [InlineData("\u0301a 1\u0301", "\u0301a", " ", "1", "\u0301")] // One at the beginning, or behind a number, begins a word.
    [InlineData("𝒳\U0001E8D0𝒳", "𝒳\U0001E8D0𝒳")] // Beyond U+FFFF.
    public void A_mark_may_be_a_letter(string text, params string[] pieces) => Assert.Equal(pieces, Pieces(text, QwenSplitter.LettersAndMarks));

    [Fact]
    public void Every_code_point_is_some_piece()
    {
        var text = string.Concat(Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(c => new Rune(c).ToString()));
        Assert.All(QwenSplitter.All, splitter => Assert.Equal(text, string.Concat(Pieces(text, splitter))));
    }

    private static List<string> Pieces(string text, QwenSplitter splitter)
    {
        var pieces = new List<string>();
        for (var at = 0; at < text.Length; at += pieces[^1].Length)
        {
            pieces.Add(text.Substring(at, splitter.FirstPiece(text.AsSpan(at))));
        }

        return pieces;
    }
}
