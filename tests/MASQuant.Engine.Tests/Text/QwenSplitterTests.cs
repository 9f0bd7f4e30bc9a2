using System.Text;
using System.Text.RegularExpressions;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

public class QwenSplitterTests
{
    // Within U+0000–U+FFFF .NET's engine reads the pattern as the reference does, but for the long s, which the goldens cover.
    [Fact]
    public void Agrees_with_the_pattern_on_the_basic_plane()
    {
        const string alphabet = "aZsStTrReEvVmMlLdD''''  \t\r\n\n\u00A0\u3000\u2028\u0085\v019²Ⅷ٣,.!-_<|>é日本ʰǅ\u0301\u200D\u20AC\uFFFD\u0000";
        var regex = new Regex(QwenSplitter.Pattern, RegexOptions.CultureInvariant);
        var random = new Random(1);
        for (var trial = 0; trial < 5000; trial++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            Assert.Equal(regex.Matches(text).Select(m => m.Value), Pieces(text));
        }
    }

    [Theory]
    [InlineData("x𝒳y 𠀀", "x𝒳y", " 𠀀")] // Letters beyond U+FFFF.
    [InlineData("𝟘𝟙", "𝟘", "𝟙")] // Digits: one a piece.
    [InlineData("🙂🙂\n\na", "🙂🙂\n\n", "a")] // Symbols.
    [InlineData("🙂a", "🙂a")] // One symbol goes with the word after it.
    [InlineData("it'ſt 'ſt", "it", "'ſ", "t", " '", "ſt")] // The long s ends a contraction too.
    public void SeesCodePoints(string text, params string[] pieces) => Assert.Equal(pieces, Pieces(text));

    [Fact]
    public void Every_code_point_is_some_piece()
    {
        var text = string.Concat(Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(c => new Rune(c).ToString()));
        Assert.Equal(text, string.Concat(Pieces(text)));
    }

    private static List<string> Pieces(string text)
    {
        var pieces = new List<string>();
        for (var at = 0; at < text.Length; at += pieces[^1].Length)
        {
            pieces.Add(text.Substring(at, QwenSplitter.FirstPiece(text.AsSpan(at))));
        }

        return pieces;
    }
}
