using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using MASQuant.Cli;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Tests;

namespace MASQuant.Documentation.Tests;

/// <summary>Command lines of the pages are understood by the command.</summary>
public partial class CommandLineTests
{
    private static readonly RootCommand Root = CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, errorIsTerminal: false), default);

    public static TheoryData<string> Pages => [.. MarkdownPage.All.Where(page => Written().IsMatch(page.Text)).Select(page => page.Path)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Command_lines_are_understood(string path)
    {
        var lines = Written().Matches(MarkdownPage.All.Single(page => page.Path == path).Text).Select(match => match.Groups["words"].Value);
        Assert.All(lines, line => Assert.Empty(UsageErrors.Of(Root.Parse(Words(line)))));
    }

    // Variables of a shell or a workflow stand for some word; OPTIONS are the reader's.
    private static IReadOnlyList<string> Words(string line)
        => [.. CommandLineParser.SplitCommandLine(Variable().Replace(line, "1")).Where(word => word != "OPTIONS")];

    // Indented, or in a step of a workflow; what a command prints begins with "masquant: ".
    [GeneratedRegex(@"^ +(?:- run: )?(?:masquant|dotnet run (?:-c Release )?--project src/Cli --) (?<words>[^\n]+)$", RegexOptions.Multiline)]
    private static partial Regex Written();

    [GeneratedRegex(@"\$\{\{.*?\}\}|\$\w+")]
    private static partial Regex Variable();
}
