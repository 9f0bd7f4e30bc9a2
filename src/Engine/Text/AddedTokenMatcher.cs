using System.Buffers;
using System.Globalization;

namespace MASQuant.Engine.Text;

/// <summary>Finds added tokens in a text: the leftmost match first, and the longest of those that start there.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<char, (string Content, AddedToken Token)[]> _byFirst;
    private readonly SearchValues<char> _first;

    public AddedTokenMatcher(IEnumerable<(string Content, AddedToken Token)> tokens)
    {
        _byFirst = tokens.GroupBy(t => t.Content[0]).ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Content.Length).ToArray());
        _first = SearchValues.Create(_byFirst.Keys.ToArray());
    }

    /// <summary>Finds the first added token of <paramref name="text"/> at or after <paramref name="start"/>.</summary>
    /// <param name="text">The whole text: what surrounds a match decides over <see cref="AddedToken.SingleWord"/>.</param>
    /// <param name="start">Where to begin; stripped white space does not reach before it.</param>
    /// <param name="match">The characters it takes in.</param>
    /// <returns>The token, or null when there is no more.</returns>
    public AddedToken? Next(ReadOnlySpan<char> text, int start, out Range match)
    {
        for (var at = start; at < text.Length; at++)
        {
            var skip = text[at..].IndexOfAny(_first);
            if (skip < 0)
            {
                break;
            }

            at += skip;
            foreach (var (content, token) in _byFirst[text[at]])
            {
                if (!text[at..].StartsWith(content, StringComparison.Ordinal))
                {
                    continue;
                }

                var end = at + content.Length;
                if (token.SingleWord && ((at > 0 && IsWord(text[at - 1])) || (end < text.Length && IsWord(text[end]))))
                {
                    at = end - 1;
                    break;
                }

                match = Strip(text, start, at, end, token);
                return token;
            }
        }

        match = default;
        return null;
    }

    private static Range Strip(ReadOnlySpan<char> text, int start, int from, int to, AddedToken token)
    {
        while (token.StripLeft && from > start && char.IsWhiteSpace(text[from - 1]))
        {
            from--;
        }

        while (token.StripRight && to < text.Length && char.IsWhiteSpace(text[to]))
        {
            to++;
        }

        return from..to;
    }

    private static bool IsWord(char character) => char.IsLetterOrDigit(character) || char.GetUnicodeCategory(character)
        is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.LetterNumber
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
