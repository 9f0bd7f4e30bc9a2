using System.CommandLine;
using System.CommandLine.Parsing;

namespace MASQuant.Cli;

/// <summary>What is wrong with a command line, each error with the closest word that is allowed.</summary>
internal static class UsageErrors
{
    // Further away, a suggestion would be a guess.
    private const int MaxDistance = 3;

    /// <summary>One message per error; none when the command can run.</summary>
    public static IReadOnlyList<string> Of(ParseResult parse)
    {
        var command = parse.CommandResult.Command;
        string[] unknown = [.. UnknownOptions(parse, command)];
        if (unknown.Length > 0)
        {
            var options = command.Options.Concat(parse.RootCommandResult.Command.Options.Where(option => option.Recursive)).Select(option => option.Name).ToArray();
            return [.. unknown.Select(word => $"Unrecognized option '{word}'.{Suggestion(word, options)}")];
        }

        return command is RootCommand && parse.UnmatchedTokens is [var first, ..]
            ? [$"Unrecognized command '{first}'.{Suggestion(first, command.Subcommands.Select(c => c.Name))}"]
            : [.. parse.Errors.Select(error => error.Message).Distinct()];
    }

    // The parser takes an unknown option for a positional word while it still wants one.
    private static IEnumerable<string> UnknownOptions(ParseResult parse, Command command)
    {
        var literal = parse.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash).Select(token => token.Value).ToHashSet();
        return command.Arguments
            .SelectMany(argument => parse.GetResult(argument)?.Tokens.Select(token => token.Value) ?? [])
            .Concat(parse.UnmatchedTokens)
            .Where(word => word.Length > 1 && word[0] == '-' && (word[1] == '-' || char.IsAsciiLetter(word[1])) && !literal.Contains(word))
            .Select(word => word.Split('=', 2)[0])
            .Distinct();
    }

    private static string Suggestion(string word, IEnumerable<string> allowed)
    {
        var (closest, distance) = allowed.Select(candidate => (candidate, Distance(word, candidate))).MinBy(pair => pair.Item2);
        return distance <= MaxDistance ? $" Did you mean '{closest}'?" : "";
    }

    // Levenshtein's distance with swaps of neighbours.
    private static int Distance(string a, string b)
    {
        var distance = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                distance[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(
                    Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1,
                    distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
                }
            }
        }

        return distance[a.Length, b.Length];
    }
}
