using System.CommandLine;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Options;

/// <summary>The options that <c>evaluate</c> and <c>compare</c> share.</summary>
internal sealed class EvaluationOptions
{
    private const int DefaultMaxTokens = 24;

    private readonly Option<int> _limit = CliOptions.Number("--limit", 0, value => value >= 0, "0 or more", "The most conversations of each task, from the top of DATA; 0 for all.");
    private readonly Option<int> _maxTokens = CliOptions.Number("--max-tokens", DefaultMaxTokens, value => value >= 1, "1 or more", "The most tokens of a generated answer.");
    private readonly Option<bool> _noGenerate = new("--no-generate") { Description = "Skips generated answers, and with them error and exact rates." };
    private readonly Option<string> _json = CliOptions.Written("--json", "FILE", "Writes all figures as JSON; '-' for standard output, in place of the table.");
    private readonly Option<string> _markdown = CliOptions.Text("--markdown", "FILE", "Writes the table as Markdown; '-' for standard output, in place of the table.");

    private readonly Option<string> _report = CliOptions.Written("--report", "FILE", "Writes a self-contained HTML page: the tables, plots, and samples whose answers changed, to look at and listen to.");

    /// <summary>How many pixels images keep, and how many frames videos.</summary>
    public LimitSwitches Limits { get; } = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_limit, _maxTokens, _noGenerate, _json, _markdown, _report])
        {
            command.Add(option);
        }

        Limits.AddTo(command);
    }

    /// <summary>The most conversations of a task; 0 for all.</summary>
    public int Limit(ParseResult parse) => parse.GetValue(_limit);

    /// <summary>The most tokens of a generated answer; 0 generates none.</summary>
    public int MaxTokens(ParseResult parse) => parse.GetValue(_noGenerate) ? 0 : parse.GetValue(_maxTokens);

    /// <summary>Writes a report where it was asked for.</summary>
    public void Write(ParseResult parse, Report report, CommandConsole console) => report.Write(console, parse.GetValue(_json), parse.GetValue(_markdown), parse.GetValue(_report));
}
