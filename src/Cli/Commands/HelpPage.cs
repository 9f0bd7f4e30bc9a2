using System.CommandLine;
using System.CommandLine.Invocation;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Commands;

/// <summary>Answers <c>--help</c>.</summary>
internal sealed class HelpPage(CommandConsole console) : SynchronousCommandLineAction
{
    // Fixed, so that a page reads the same everywhere.
    private const int Width = 110;
    private const int Indent = 2;
    private const int MaxTermWidth = 30;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, console.Output);
        return ExitCode.Done;
    }

    /// <summary>Writes a command's page.</summary>
    public static void Write(Command command, TextWriter writer)
    {
        var cli = command as CliCommand;
        foreach (var line in Wrap(command.Description ?? "", Width))
        {
            writer.WriteLine(line);
        }

        Section(writer, "Usage", [$"{CommandLine.Name} {(cli is null ? "COMMAND [options]" : $"{cli.Name} {cli.Usage}")}"]);
        Terms(writer, "Commands", command.Subcommands.Select(c => (c.Name, c.Description)));
        Terms(writer, "Arguments", command.Arguments.Select(a => (a.Name, a.Description)));
        Terms(writer, "Options", command.Options.Where(o => !o.Hidden).Select(o => (Term(o), o.Description)));
        if (cli is not null)
        {
            Section(writer, "Examples", cli.Examples);
        }

        Section(writer, "Exit codes", [ExitCode.Summary]);
        writer.WriteLine();
        writer.WriteLine(cli is null
            ? $"'{CommandLine.Name} help COMMAND' explains a command; docs/command-line.md says more."
            : "Answers go to standard output, progress and messages to standard error.");
    }

    private static string Term(Option option) => option.HelpName is { } value ? $"{option.Name} {value}" : option.Name;

    private static void Section(TextWriter writer, string title, IEnumerable<string> lines)
    {
        writer.WriteLine();
        writer.WriteLine($"{title}:");
        foreach (var line in lines)
        {
            writer.WriteLine(new string(' ', Indent) + line);
        }
    }

    private static void Terms(TextWriter writer, string title, IEnumerable<(string Term, string? Description)> terms)
    {
        (string Term, string? Description)[] rows = [.. terms];
        if (rows.Length == 0)
        {
            return;
        }

        var column = Math.Min(rows.Max(row => row.Term.Length), MaxTermWidth) + Indent;
        var lines = new List<string>();
        foreach (var (term, description) in rows)
        {
            var first = true;
            foreach (var line in Wrap(description ?? "", Width - Indent - column))
            {
                lines.Add((first ? term.PadRight(column) : new string(' ', column)) + line);
                first = false;
            }
        }

        Section(writer, title, lines);
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }

        yield return line;
    }
}
