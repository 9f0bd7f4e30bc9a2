using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

public class StopStringMatcherTests
{
    [Theory]
    [InlineData("one two three", "one ", "two")]
    [InlineData("one two three", "", "on", "one")] // the first that is complete
    [InlineData("one two three", "o", "two", "ne t")] // complete before "two"
    [InlineData("abcd", "a", "cd", "bcd")] // of those that end together the longest
    [InlineData("ababac", "ab", "abac")] // begins within what looked like one
    [InlineData("one two three", "one two three", "threes", "One")]
    [InlineData("e\u0301te", "", "e\u0301t")] // characters, not what they look like: é is another
    [InlineData("\u00e9te", "\u00e9te", "e\u0301t")]
    public void An_answer_ends_before_the_first_that_is_complete(string text, string answer, params string[] stops)
    {
        // In one piece, and in two that are divided anywhere.
        for (var division = 0; division <= text.Length; division++)
        {
            Assert.Equal(answer, Answer([text[..division], text[division..]], stops));
        }
    }

    [Fact]
    public void However_it_is_divided_it_is_the_definitions()
    {
        var random = new Random(11);
        for (var trial = 0; trial < 3000; trial++)
        {
            var text = Text(random, 40);
            string[] stops = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => Text(random, 1 + random.Next(5)))];
            var pieces = new List<string>();
            for (var start = 0; start < text.Length; start += pieces[^1].Length)
            {
                pieces.Add(text[start..Math.Min(text.Length, start + 1 + random.Next(6))]);
            }

            var end = Enumerable.Range(0, text.Length + 1).FirstOrDefault(length => stops.Any(stop => text[..length].EndsWith(stop, StringComparison.Ordinal)), -1);
            var expected = end < 0 ? text : text[..(end - stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).Max(stop => stop.Length))];
            Assert.Equal(expected, Answer(pieces, stops));
        }
    }

    [Fact]
    public void Only_what_may_begin_one_is_held_back()
    {
        var matcher = new StopStringMatcher(["\nUser:", "###"]);
        Assert.Equal(["Hi", " there", "", "\nUs, ", "", "##x"], new[] { "Hi", " there\n", "Us", ", #", "#", "x" }.Select(matcher.Append));
        Assert.False(matcher.IsStopped);
    }

    private static string Text(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => "abc"[random.Next(3)]));

    private static string Answer(IEnumerable<string> pieces, string[] stops)
    {
        var matcher = new StopStringMatcher(stops);
        var answer = "";
        foreach (var piece in pieces.TakeWhile(_ => !matcher.IsStopped))
        {
            answer += matcher.Append(piece);
        }

        return answer + matcher.Flush();
    }
}
