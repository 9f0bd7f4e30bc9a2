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
    private readonly Option<bool> _json = CliOptions.Json("all figures, in place of the table");
    private readonly WrittenOption _jsonFile = CliOptions.Written("--json-file", "FILE", "Writes the object of --json to a file, beside the table.");
    private readonly WrittenOption _markdown = new("--markdown", "FILE", "Writes the table as Markdown; '-' for standard output, in place of the table.") { MayBeStandardOutput = true };
    private readonly WrittenOption _report = new("--report", "FILE", "Writes a self-contained HTML page: the tables, plots, and samples whose answers changed, to look at and listen to; '-' for standard output.") { MayBeStandardOutput = true };

    /// <summary>How many pixels images keep, and how many frames videos.</summary>
    public LimitSwitches Limits { get; } = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_limit, _maxTokens, _noGenerate, _json, _jsonFile, _markdown, _report])
        {
            command.Add(option);
        }

        Limits.AddTo(command);
        command.Validators.Add(parsed =>
        {
            if ((parsed.GetValue(_json) ? 1 : 0) + ((Option<string>[])[_markdown, _report]).Count(option => parsed.GetValue(option) == WrittenOption.StandardOutput) > 1)
            {
                parsed.AddError("Standard output takes one answer: leave out '--json', or give '--markdown' and '--report' a file.");
            }
        });
    }

    /// <summary>The most conversations of a task; 0 for all.</summary>
    public int Limit(ParseResult parse) => parse.GetValue(_limit);

    /// <summary>The most tokens of a generated answer; 0 generates none.</summary>
    public int MaxTokens(ParseResult parse) => parse.GetValue(_noGenerate) ? 0 : parse.GetValue(_maxTokens);

    /// <summary>Whether programs read the answer.</summary>
    public bool IsJson(ParseResult parse) => parse.GetValue(_json);

    /// <summary>Writes a report where it was asked for.</summary>
    public void Write(ParseResult parse, Report report, CommandConsole console) => report.Write(console, parse.GetValue(_json), parse.GetValue(_jsonFile), parse.GetValue(_markdown), parse.GetValue(_report));
}
