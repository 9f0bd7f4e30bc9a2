using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

/// <summary>Examples of UAX #15 and the Unicode Standard. The tests run with InvariantGlobalization, where string.Normalize does nothing.</summary>
public class NfcTests
{
    [Theory]
    [InlineData("plain ASCII", "plain ASCII")]
    [InlineData("Cafe\u0301", "Caf\u00E9")]
    [InlineData("\u212B \u2126", "\u00C5 \u03A9")] // Singletons: angstrom and ohm signs.
    [InlineData("A\u030A", "\u00C5")]
    [InlineData("s\u0323\u0307", "\u1E69")]
    [InlineData("s\u0307\u0323", "\u1E69")] // Marks are put in order first.
    [InlineData("\u1E0B\u0323", "\u1E0D\u0307")] // The dot below binds to d before the dot above.
    [InlineData("q\u0307\u0323", "q\u0323\u0307")] // Nothing composes; the order is still canonical.
    [InlineData("a\u0305\u0301", "a\u0305\u0301")] // The acute is blocked by a mark of its own class.
    [InlineData("a\u0327\u0301", "\u00E1\u0327")] // It is not by one of another class.
    [InlineData("\u1100\u1161\u11A8", "\uAC01")] // Conjoining jamo, with and without a trailing consonant.
    [InlineData("\u1100\u1161", "\uAC00")]
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("\uAC01\u11A8", "\uAC01\u11A8")]
    [InlineData("\uAC00\u11A7", "\uAC00\u11A7")] // U+11A7 is no trailing consonant.
    [InlineData("\u0958", "\u0915\u093C")] // A composition exclusion.
    [InlineData("\u09C7\u09BE", "\u09CB")] // Two starters that compose.
    [InlineData("\u09C7\u0301\u09BE", "\u09C7\u0301\u09BE")] // A mark between them blocks.
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("\U00011099\U000110BA", "\U0001109A")]
    [InlineData("\uF900", "\u8C48")] // A compatibility ideograph with a canonical mapping.
    [InlineData("\uFB01", "\uFB01")] // A ligature has a compatibility mapping only.
    [InlineData("\u0301a", "\u0301a")]
    public void NormalizesAsTheStandardSays(string text, string expected) => Assert.Equal(expected, Nfc.Normalize(text));

    [Fact]
    public void Unpaired_surrogates_become_replacement_characters() => Assert.Equal("a\uFFFDb\uFFFD\U0001F642", Nfc.Normalize("a\uD83Db\uDE42\uD83D\uDE42"));

    [Fact]
    public void Many_marks_are_sorted_stably()
    {
        // Classes 230 and 220 alternate; marks of one class keep their order, and the first of each composes nothing with q.
        var marks = string.Concat(Enumerable.Repeat("\u0307\u0323\u0301\u0331", 1000));
        var expected = "q" + string.Concat(Enumerable.Repeat("\u0323\u0331", 1000)) + string.Concat(Enumerable.Repeat("\u0307\u0301", 1000));
        Assert.Equal(expected, Nfc.Normalize("q" + marks));
    }
}
