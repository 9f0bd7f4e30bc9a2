using System.Buffers;
using System.Globalization;

namespace MASQuant.Engine.Text;

/// <summary>Finds added tokens in a text: the leftmost match first, and the longest of those that start there. However many tokens there are, a place costs at most as many binary searches as the longest has characters.</summary>
internal sealed class AddedTokenMatcher
{
    // Sorted by content, so that those with a common beginning stand together, the shortest first.
    private readonly (string Content, AddedToken Token)[] _tokens;
    private readonly SearchValues<char> _first;

    public AddedTokenMatcher(IEnumerable<(string Content, AddedToken Token)> tokens)
    {
        _tokens = [.. tokens.OrderBy(t => t.Content, StringComparer.Ordinal)];
        _first = SearchValues.Create([.. _tokens.Select(t => t.Content[0]).Distinct()]);
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
            if (Longest(text[at..]) is not { } found)
            {
                continue;
            }

            var (end, token) = (at + found.Content.Length, found.Token);
            if (token.SingleWord && ((at > 0 && IsWord(text[at - 1])) || (end < text.Length && IsWord(text[end]))))
            {
                at = end - 1;
                continue;
            }

            match = Strip(text, start, at, end, token);
            return token;
        }

        match = default;
        return null;
    }

    // Of equal contents the first in the file, as sorting left them.
    private (string Content, AddedToken Token)? Longest(ReadOnlySpan<char> text)
    {
        (string Content, AddedToken Token)? longest = null;
        var (low, high) = (0, _tokens.Length);
        for (var length = 1; length <= text.Length; length++)
        {
            var next = text[length - 1];
            (low, high) = (Bound(low, high, length, next), Bound(low, high, length, next + 1));
            if (low == high)
            {
                break;
            }

            longest = _tokens[low].Content.Length == length ? _tokens[low] : longest;
        }

        return longest;
    }

    // The first of some tokens with a common beginning whose character at length − 1 is not below a bound; a token that ends before has none.
    private int Bound(int low, int high, int length, int bound)
    {
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var content = _tokens[middle].Content;
            (low, high) = content.Length < length || content[length - 1] < bound ? (middle + 1, high) : (low, middle);
        }

        return low;
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
