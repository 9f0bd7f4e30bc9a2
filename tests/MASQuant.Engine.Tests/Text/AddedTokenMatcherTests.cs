using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

/// <summary>The search for added tokens against its definition: at the leftmost place where one begins, the longest.</summary>
public class AddedTokenMatcherTests
{
    // Few letters, so that tokens begin, contain and follow each other.
    private static readonly Gen<string> Word = Gen.Elements('a', 'b', '<', '\uD83D', '\uFFFF').ArrayOf().Select(letters => new string(letters));

    [Fact]
    public void The_matches_are_those_of_the_definition()
        => Prop.ForAll(Word.Where(word => word.Length > 0).ArrayOf().Zip(Word.ArrayOf().Select(string.Concat)).ToArbitrary(), input => Matches(input.Item1, input.Item2).SequenceEqual(Definition(input.Item1, input.Item2)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(17, 23));

    private static IEnumerable<(int Id, int From, int To)> Matches(string[] contents, string text)
    {
        var matcher = new AddedTokenMatcher(contents.Select((content, id) => (content, new AddedToken(id, content))));
        for (var start = 0; matcher.Next(text, start, out var match) is { } token; start = match.End.Value)
        {
            yield return (token.Id, match.Start.Value, match.End.Value);
        }
    }

    private static IEnumerable<(int Id, int From, int To)> Definition(string[] contents, string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var longest = contents.Where(content => string.CompareOrdinal(text, at, content, 0, content.Length) == 0).MaxBy(content => content.Length);
            if (longest is not null)
            {
                yield return (Array.IndexOf(contents, longest), at, at + longest.Length);
            }

            at += longest?.Length ?? 1;
        }
    }
}
