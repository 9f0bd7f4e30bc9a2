using System.CommandLine;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Evaluation.Budgets;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class UsageTests
{
    [Theory]
    [InlineData("quantize", "x", "--shceme", "W4A8", "--calibration", "a", "--output", "b", "--shceme", "--scheme")]
    [InlineData("quantize", "x", "--calibratoin=a", "--output", "b", "--calibratoin", "--calibration")]
    [InlineData("run", "x", "--tempature", "0.5", "--tempature", "--temperature")]
    [InlineData("run", "x", "text", "--max-token", "5", "--max-token", "--max-tokens")]
    [InlineData("inspect", "x", "--jsno", "--jsno", "--json")]
    [InlineData("quantise", "quantise", "quantize")]
    public void Typo_names_the_closest_word(params string[] words)
    {
        var run = CommandRun.Of(words[..^2]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains($"error MASQ0801: Unrecognized {(words[^2][0] == '-' ? "option" : "command")} '{words[^2]}'. Did you mean '{words[^1]}'?", run.Error);
        Assert.Empty(run.Output);
    }

    // Every letter that is forgotten and every two that are exchanged, in every command and every option of each.
    [Fact]
    public void Every_typo_names_the_word_that_was_meant()
    {
        var root = CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, false), default);
        Assert.All(root.Subcommands, command =>
        {
            AssertSuggested("command", command.Name, typo => [typo]);
            AssertSuggested("command", command.Name, typo => ["help", typo]);
            Assert.All(command.Options, option => AssertSuggested("option", option.Name, typo => [command.Name, typo]));
        });

        void AssertSuggested(string kind, string meant, Func<string, string[]> words)
        {
            foreach (var typo in Typos(meant).Where(typo => !root.Parse(words(typo), CommandLine.Parsing).CommandResult.Command.Options.Any(option => option.Name == typo)))
            {
                var errors = UsageErrors.Of(root.Parse(words(typo), CommandLine.Parsing));
                Assert.Contains(errors, error => error.StartsWith($"Unrecognized {kind} '{typo}'. Did you mean '", StringComparison.Ordinal) && error.Contains($"'{meant}'", StringComparison.Ordinal));
            }
        }

        static IEnumerable<string> Typos(string word)
        {
            var start = word.StartsWith("--", StringComparison.Ordinal) ? 2 : 0;
            return Enumerable.Range(start, word.Length - start).Select(place => word.Remove(place, 1))
                .Concat(Enumerable.Range(start, word.Length - start - 1).Select(place => $"{word[..place]}{word[place + 1]}{word[place]}{word[(place + 2)..]}"))
                .Where(typo => typo != word);
        }
    }

    [Theory]
    [InlineData("quantize")]
    [InlineData("quantize", "x", "--calibration", "a")]
    [InlineData("quantize", "x", "--calibration", "a", "--output", "b", "--scheme", "W3A3")]
    [InlineData("quantize", "x", "--calibration", "a", "--output", "b", "--rank", "-1")]
    [InlineData("run", "x")]
    [InlineData("run", "x", "text", "--max-tokens", "0")]
    [InlineData("run", "x", "text", "--temperature", "0,5")]
    [InlineData("run", "x", "text", "--top-p", "0")]
    [InlineData("run", "x", "text", "--min-p", "1.1")]
    [InlineData("run", "x", "text", "--repetition-penalty", "0")]
    [InlineData("run", "x", "text", "--draft-tokens", "65")]
    [InlineData("run", "x", "text", "--sampling", "warm")]
    [InlineData("run", "x", "text", "--stop", "")]
    [InlineData("run", "x", "text", "--max-pixels", "0")]
    [InlineData("serve")]
    [InlineData("serve", "x", "--port", "65536")]
    [InlineData("serve", "x", "--max-requests", "0")]
    [InlineData("evaluate", "x")]
    [InlineData("compare", "x", "y.jsonl")]
    [InlineData("compare", "x", "y.jsonl", "--calibration", "a", "--samples", "-1")]
    [InlineData("compare", "x", "y.jsonl", "--calibration", "a", "--sweep", "Rank")]
    [InlineData("compare", "x", "y.jsonl", "--calibration", "a", "--sweep", "Rank=1", "--sweep", "rank=2")]
    [InlineData("quantize", "x", "--calibration", "a", "--output", "b", "--samples", "-1")]
    [InlineData("inspect", "x", "y")]
    [InlineData("help", "quantise")]
    [InlineData("help", "run", "serve")]
    public void Wrong_usage_is_two(params string[] words)
    {
        var run = CommandRun.Of(words);
        Assert.Equal(2, run.ExitCode);
        Assert.NotEmpty(run.Error);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("quantize", "x", "--calibration", "a", "--output")]
    [InlineData("quantize", "x", "--calibration", "a", "--output", "b", "--report")]
    [InlineData("join", "x", "--output")]
    [InlineData("join", "x", "--output", "b", "--report")]
    [InlineData("compare", "x", "y.jsonl", "--calibration", "a", "--output")]
    [InlineData("compare", "x", "y.jsonl", "--calibration", "a", "--report")]
    [InlineData("evaluate", "x", "y.jsonl", "--json-file")]
    [InlineData("tune", "x", "--calibration", "a", "--max-bytes", "1GB", "--output")]
    [InlineData("tune", "x", "--calibration", "a", "--max-bytes", "1GB", "--report")]
    public void A_name_that_no_file_can_have_is_told_before_the_work(params string[] words)
    {
        var run = CommandRun.Of([.. words, Path.Combine("out", new string('n', 300))]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("MASQ0801", run.Error, StringComparison.Ordinal);
        Assert.Contains($"has 300 bytes; names of files and folders that are written may have 218. Choose a shorter one. ('{words[^1]}')", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_name_that_no_file_can_have_is_told_before_the_work()
    {
        using var folder = new TemporaryDirectory();
        var run = CommandRun.Of(["quantize", RepositoryFiles.VlTiny, "--calibration", RepositoryFiles.Data("calibration-vision.jsonl"), "--output", folder.File("out"), "--name", new string('n', 300)]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("MASQ0502", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("out")));
    }

    [Fact]
    public void Every_option_of_the_table_is_a_switch()
    {
        var quantize = Command("quantize");
        foreach (var option in OptionTable.All)
        {
            var found = Assert.Single(quantize.Options, candidate => candidate.Name == option.Switch);
            Assert.Contains(option.Description, found.Description);
            Assert.Contains($"Allowed: {option.Values}.", found.Description);
            Assert.Contains(option.Default, found.Description);
        }

        string[] own = ["--calibration", "--output", "--name", "--report", "--blocks", "--json", "--cache", "--samples", "--subset-seed", "--compute-assembly", "--evaluation", .. BudgetTable.All.Select(budget => budget.Switch)];
        Assert.Equal(OptionTable.All.Select(option => option.Switch).Concat(own).Order(), quantize.Options.Select(option => option.Name).Order());
    }

    [Fact]
    public void Text_behind_two_dashes_is_text()
    {
        // The model is missing, so the command line was understood.
        Assert.Equal(1, CommandRun.Of("run", "nowhere", "--", "--is this text?").ExitCode);
        Assert.Equal(1, CommandRun.Of("run", "nowhere", "- a list").ExitCode);
        Assert.Equal(2, CommandRun.Of("run", "nowhere", "--is this text?").ExitCode);
    }

    [Theory]
    [InlineData("inspect", "nowhere", "nowhere: error MASQ0807:")]
    [InlineData("run", "nowhere", "text", "nowhere: error MASQ0")]
    [InlineData("evaluate", "nowhere", "nowhere.jsonl", "nowhere.jsonl: error MASQ0405:")]
    public void Bad_input_is_one_and_names_the_file(params string[] words)
    {
        var run = CommandRun.Of(words[..^1]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(words[^1], run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public void A_defect_asks_for_a_report()
    {
        using var error = new StringWriter();
        using var closed = new StringWriter();
        closed.Dispose();
        Assert.Equal(70, CommandLine.Run(["--version"], new CommandConsole(closed, error, errorIsTerminal: false), default));
        Assert.Contains("masquant: error MASQ0804:", error.ToString());
        Assert.Contains(nameof(ObjectDisposedException), error.ToString());
    }

    [Fact]
    public void Version_is_the_one_artifacts_name()
    {
        var run = CommandRun.Of("--version");
        Assert.Equal((0, ToolVersion.Current + "\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("quantize", "--help")]
    [InlineData("run", "-h")]
    public void Help_answers_on_standard_output_whatever_is_missing(params string[] words)
    {
        var run = CommandRun.Of(words);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Usage:\n  masquant " + words[0], run.Output);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void Help_is_a_command_too_and_what_no_command_means()
    {
        Assert.Equal(CommandRun.Of("--help"), CommandRun.Of("help"));
        Assert.Equal(CommandRun.Of("--help"), CommandRun.Of());
        Assert.All(CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, false), default).Subcommands, command =>
        {
            var page = CommandRun.Of("help", command.Name);
            Assert.Equal(CommandRun.Of(command.Name, "--help"), page);
            Assert.Equal((0, ""), (page.ExitCode, page.Error));
            Assert.Contains($"Usage:\n  masquant {command.Name}", page.Output, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Help_pages()
        => Snapshot.Verify(string.Concat(((string[])["", "quantize", "join", "inspect", "run", "serve", "evaluate", "compare", "tune", "cache", "completion", "help"]).Select(command => CommandRun.Of([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]).Output + "\n========\n\n")));

    private static Command Command(string name)
        => CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, false), default).Subcommands.Single(command => command.Name == name);
}
