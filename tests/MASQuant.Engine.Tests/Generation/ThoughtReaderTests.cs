using MASQuant.Engine.Generation;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>However a text is divided, what comes before the first mark is thought and what follows it is the answer.</summary>
public class ThoughtReaderTests
{
    private const string Letters = "</think> \nab";

    [Theory]
    [InlineData("I look.\n</think>\n\nNoon.\n", "I look.", "Noon.\n")]
    [InlineData("\n I\n\nlook. \n</think>Noon.", "I\n\nlook.", "Noon.")]
    [InlineData("</think>\n\nNoon.", "", "Noon.")]
    [InlineData("a </thin <</think>\n\n b</think>", "a </thin <", " b</think>")]
    [InlineData("I look. </thin", "I look. </thin", "")] // never ends
    [InlineData("I look.\n", "I look.", "")]
    [InlineData("", "", "")]
    public void It_is_parted_at_the_mark(string text, string thought, string answer)
    {
        for (var first = 0; first <= text.Length; first++)
        {
            for (var second = first; second <= text.Length; second++)
            {
                Assert.Equal((thought, answer), Read(text[..first], text[first..second], text[second..]));
            }
        }
    }

    [Fact]
    public void However_it_is_divided_it_is_the_definitions()
    {
        var random = new Random(7);
        for (var trial = 0; trial < 3000; trial++)
        {
            string[] pieces = [.. Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(6) == 0 ? "</think>" : new string([.. Enumerable.Range(0, random.Next(6)).Select(_ => Letters[random.Next(Letters.Length)])]))];
            var text = string.Concat(pieces);
            var end = text.IndexOf("</think>", StringComparison.Ordinal);
            Assert.Equal((end < 0 ? text.Trim() : text[..end].Trim(), end < 0 ? "" : text[(end + "</think>".Length)..].TrimStart('\n')), Read(pieces));
        }
    }

    [Fact]
    public void Nothing_is_held_back_that_is_certain()
    {
        var reader = new ThoughtReader(new ThoughtFormat("<think>", "</think>"));
        Assert.Equal(("I", ""), reader.Append(" I ", isLast: false));
        Assert.Equal((" look", ""), reader.Append("look</th", isLast: false));
        Assert.Equal(("</the", ""), reader.Append("e", isLast: false));
        Assert.Equal(("", "N"), reader.Append("</think>\nN", isLast: false));
        Assert.Equal(("", "oon\n"), reader.Append("oon\n", isLast: false));
    }

    private static (string Thought, string Answer) Read(params string[] pieces)
    {
        var reader = new ThoughtReader(new ThoughtFormat("<think>", "</think>"));
        var (thought, answer) = ("", "");
        foreach (var (text, isLast) in pieces.Select(piece => (piece, false)).Append(("", true)))
        {
            var (further, said) = reader.Append(text, isLast);
            (thought, answer) = (thought + further, answer + said);
        }

        return (thought, answer);
    }
}
