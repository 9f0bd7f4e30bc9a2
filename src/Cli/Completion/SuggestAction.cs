using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Completion;

/// <summary>Answers <c>[suggest:N]</c>, which shells and dotnet-suggest ask: the words that may stand at character N of a command line.</summary>
/// <param name="console">Where to.</param>
/// <param name="directive">Has the number.</param>
internal sealed class SuggestAction(CommandConsole console, SuggestDirective directive) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var line = parseResult.Tokens.LastOrDefault(token => token.Type != System.CommandLine.Parsing.TokenType.Directive)?.Value ?? "";
        var end = parseResult.GetResult(directive)?.Values is [var number, ..] && int.TryParse(number, out var place) ? Math.Clamp(place, 0, line.Length) : line.Length;
        var typed = line[..end];
        var word = typed[(typed.LastIndexOfAny([' ', '\t']) + 1)..];
        var suggestions = parseResult.RootCommandResult.Command.Parse(typed, parseResult.Configuration).GetCompletions(end).Select(item => item.InsertText ?? item.Label);

        // Switches come when a dash asks for them: otherwise they would hide the files that may stand there. Help's names from Windows never do.
        foreach (var suggestion in suggestions.Where(label => label.StartsWith(word, StringComparison.Ordinal) && (label[0] != '-' || word.StartsWith('-')) && label is not ("/h" or "/?")).Distinct())
        {
            console.Output.WriteLine(suggestion);
        }

        return ExitCode.Done;
    }
}
