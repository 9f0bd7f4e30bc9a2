using System.Text.RegularExpressions;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>Damage to the shipped PTX, within one entry.</summary>
internal static class Mutation
{
    /// <summary>Replaces the occurrence of <paramref name="pattern"/> with the number <paramref name="occurrence"/> in <paramref name="entry"/>.</summary>
    public static Func<string, string, string> Replace(string entry, string pattern, string replacement, int occurrence = 0) => (_, text) =>
    {
        var start = text.IndexOf($".entry {entry}(", StringComparison.Ordinal);
        if (start < 0)
        {
            return text;
        }

        var next = text.IndexOf(".entry ", start + 1, StringComparison.Ordinal);
        var body = next < 0 ? text[start..] : text[start..next];
        var matches = Regex.Matches(body, pattern);
        Assert.True(occurrence < matches.Count, $"{entry} holds '{pattern}' {matches.Count} times");
        var match = matches[occurrence];
        body = body[..match.Index] + match.Result(replacement) + body[(match.Index + match.Length)..];
        return text[..start] + body + (next < 0 ? "" : text[next..]);
    };
}
