using System.CommandLine;
using System.CommandLine.Parsing;
using MASQuant.Cli.Output;
using MASQuant.Quantization.Options;

namespace MASQuant.Cli.Options;

/// <summary>What is wrong with a command line, each error with the closest word that is allowed.</summary>
internal static class UsageErrors
{
    // Further away, a suggestion would be a guess.
    private const int MaxDistance = 3;
    private const string JsonFile = "--json-file";

    /// <summary>One message per error; none when the command can run.</summary>
    public static IReadOnlyList<string> Of(ParseResult parse)
    {
        var command = parse.CommandResult.Command;
        if (command.Options.Any(option => option.Name == JsonFile) && parse.Tokens.SkipWhile(token => token.Value != JsonAnswer.Switch).ElementAtOrDefault(1) is { Type: TokenType.Argument } value && (value.Value == "-" || value.Value.EndsWith(".json", StringComparison.Ordinal)))
        {
            return [$"'{JsonAnswer.Switch}' takes no value: its answer goes to standard output. '{JsonFile} FILE' writes a file."];
        }

        string[] unknown = [.. UnknownOptions(parse, command)];
        if (unknown.Length > 0)
        {
            var options = command.Options.Concat(parse.RootCommandResult.Command.Options.Where(option => option.Recursive)).Select(option => option.Name).ToArray();
            return [.. unknown.Select(word => $"Unrecognized option '{word}'.{Suggestion(word, options)}")];
        }

        return command is RootCommand && parse.UnmatchedTokens is [var first, ..]
            ? [UnknownCommand(first, command)]
            : [.. parse.Errors.Select(error => error.Message).Distinct(), .. MediaSwitches.Misplaced(parse)];
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

    /// <summary>The message for a word that is none of the root's commands.</summary>
    public static string UnknownCommand(string word, Command root) => $"Unrecognized command '{word}'.{Suggestion(word, root.Subcommands.Select(command => command.Name))}";

    // Several words may be as near as each other: '--top-' is '--top-k' or '--top-p'.
    private static string Suggestion(string word, IEnumerable<string> allowed)
    {
        var nearest = allowed.GroupBy(candidate => ClosestWord.Distance(word, candidate)).MinBy(group => group.Key)!;
        return nearest.Key <= MaxDistance ? $" Did you mean {string.Join(" or ", nearest.Select(candidate => $"'{candidate}'"))}?" : "";
    }
}
