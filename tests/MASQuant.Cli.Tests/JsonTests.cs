using System.CommandLine;
using System.Text.Json;
using MASQuant.Cli.Output;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary><c>--json</c> means the same in every command: one object on standard output, all else on standard error.</summary>
public sealed class JsonTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>, IDisposable
{
    private static readonly string[][] Failing =
    [
        ["quantize", "nowhere", "--calibration", "a", "--output", "out"],
        ["join", "nowhere", "parts", "--output", "out"],
        ["plan", "nowhere"],
        ["inspect", "nowhere"],
        ["run", "nowhere", "text"],
        ["serve", "nowhere"],
        ["evaluate", "nowhere", "data.jsonl"],
        ["compare", "nowhere", "data.jsonl", "--calibration", "a"],
        ["tune", "nowhere", "--calibration", "a", "--max-bytes", "1GB"],
        ["cache", "stats", "--older-than", "1d"],
    ];

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_command_has_it()
    {
        var commands = CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, false), default).Subcommands.Where(command => command.Name is not ("help" or "completion")).ToArray();
        Assert.Equal(Failing.Select(words => words[0]).Order(), commands.Select(command => command.Name).Order());
        Assert.All(commands, command => Assert.IsType<Option<bool>>(command.Options.Single(option => option.Name == "--json")));
    }

    public static TheoryData<string[]> Failures => [.. Failing];

    [Theory]
    [MemberData(nameof(Failures))]
    public void What_fails_says_why_as_an_object_too(string[] words)
    {
        AssertError(words, words[0] == "cache" ? 2 : 1);
        AssertError([words[0], "--nonsense"], 2);

        static void AssertError(string[] words, int code)
        {
            var (plain, json) = (CommandRun.Of(words), CommandRun.Of([.. words, "--json"]));
            Assert.Equal((code, "", plain.Error), (plain.ExitCode, plain.Output, json.Error));
            Assert.Equal(code, json.ExitCode);
            var error = Only(json.Output).GetProperty("error");
            Assert.Equal(["code", "message", "file", "line", "remedy"], error.EnumerateObject().Select(member => member.Name));
            Assert.Contains($"{error.GetProperty("file").GetString() ?? "masquant"}: error {error.GetProperty("code").GetString()}: {error.GetProperty("message").GetString()}\n", json.Error, StringComparison.Ordinal);
            Assert.EndsWith(error.GetProperty("remedy").GetString()!, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_line_is_a_number()
    {
        var data = _folder.File("eval.jsonl");
        File.WriteAllText(data, "{}\n");
        var error = Only(CommandRun.Of("evaluate", RepositoryFiles.VlTiny, data, "--json").Output).GetProperty("error");
        Assert.Equal((data, 1), (error.GetProperty("file").GetString(), error.GetProperty("line").GetInt32()));
        Assert.Equal("'messages' is missing or not a list.", error.GetProperty("message").GetString());
    }

    [Fact]
    public void Quantizing_planning_and_inspecting()
    {
        var made = Answer([.. quantized.Command(_folder.File("out")), "--json"]);
        Assert.Equal(_folder.File("out/Tiny.masquant.safetensors"), made.GetProperty("artifact").GetString());
        Assert.Equal(new FileInfo(_folder.File("out/Tiny.masquant.safetensors")).Length, made.GetProperty("bytes").GetInt64());
        Assert.True(File.Exists(made.GetProperty("manifest").GetString()));

        var part = Answer([.. quantized.Command(_folder.File("parts")), "--blocks", "0/1", "--json"]);
        Assert.Equal((0, 2, 3), (part.GetProperty("firstBlock").GetInt32(), part.GetProperty("lastBlock").GetInt32(), part.GetProperty("blocks").GetInt32()));
        var joined = Answer("join", RepositoryFiles.VlTiny, part.GetProperty("part").GetString()!, "--output", _folder.File("joined"), "--json");
        Assert.True(File.Exists(joined.GetProperty("artifact").GetString()));

        var plan = Answer("plan", RepositoryFiles.VlTiny, "--json");
        Assert.Equal(0, plan.GetProperty("sequence").GetProperty("stateBytes").GetInt64());
        Assert.InRange(plan.GetProperty("sequence").GetProperty("tokenBytes").GetInt64(), 1, 1 << 20);
        Assert.Equal(plan.GetProperty("artifactBytes").GetInt64(), plan.GetProperty("artifactBytesByScheme").GetProperty(plan.GetProperty("scheme").GetString()!).GetInt64());
        Assert.Equal(new FileInfo(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors")).Length, made.GetProperty("originalBytes").GetInt64());
        Assert.InRange(plan.GetProperty("parts").EnumerateArray().Sum(bytes => bytes.GetProperty("bytes").GetInt64()), 1, made.GetProperty("originalBytes").GetInt64());
        Assert.Equal(RepositoryFiles.VlTiny, Answer("inspect", RepositoryFiles.VlTiny, "--json").GetProperty("path").GetString());
        Assert.Equal("Tiny", Answer("inspect", quantized.Artifact, "--json").GetProperty("name").GetString());
    }

    [Fact]
    public void A_budget_that_is_missed_leaves_the_error_alone()
    {
        var run = CommandRun.Of([.. quantized.Command(_folder.File("out")), "--max-bytes", "1", "--json"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(("MASQ0951", _folder.File("out/Tiny.masquant.safetensors")), (Only(run.Output).GetProperty("error").GetProperty("code").GetString(), Only(run.Output).GetProperty("error").GetProperty("file").GetString()));
    }

    [Fact]
    public void Answering()
    {
        string[] ask = ["run", RepositoryFiles.VlTiny, "What?", "--max-tokens", "3"];
        var (plain, json) = (CommandRun.Of(ask), Answer([.. ask, "--json"]));
        Assert.Equal(plain.Output, json.GetProperty("text").GetString() + "\n");
        Assert.Equal(("Length", 3), (json.GetProperty("end").GetString(), json.GetProperty("generatedTokens").GetInt32()));
        Assert.StartsWith($"{json.GetProperty("promptTokens").GetInt32()} prompt tokens; 3 generated", plain.Error, StringComparison.Ordinal);

        var served = CommandRun.CancelledAt("VlTiny answers on", "serve", RepositoryFiles.VlTiny, "--port", "0", "--json");
        Assert.Equal(0, served.ExitCode);
        Assert.StartsWith("http://127.0.0.1:", Only(served.Output).GetProperty("address").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Lane", "slow")]
    public void Comparing_and_tuning()
    {
        string[] compare = ["compare", RepositoryFiles.VlTiny, quantized.Data, "--calibration", quantized.Data, "--methods", "RTN", "--schemes", "W8A8", "--no-generate", "--limit", "1", "--output", _folder.File("compared")];
        var share = Answer([.. compare, "--point", "0/1", "--json"]).GetProperty("artifacts")[0].GetString();
        Assert.Equal([RepositoryFiles.VlTiny, share], Answer([.. compare, "--json"]).GetProperty("models").EnumerateArray().Select(model => model.GetProperty("model").GetString()));
        Assert.Equal(CommandRun.Of([.. compare, "--json"]).Output, FileOf([.. compare, "--json-file", _folder.File("figures.json")]));
        Assert.Equal(1, Answer("evaluate", RepositoryFiles.VlTiny, quantized.Data, "--no-generate", "--limit", "1", "--json").GetProperty("models").GetArrayLength());

        string[] tune = ["tune", RepositoryFiles.VlTiny, "--calibration", quantized.Data, "--epochs", "0", "--max-bytes", "2000000", "--points", "1", "--output", _folder.File("tuned")];
        Assert.Equal("0/1", Answer([.. tune, "--point", "0/1", "--json"]).GetProperty("share").GetString());
        var chosen = Answer([.. tune, "--json"]);
        Assert.Equal(new FileInfo(chosen.GetProperty("artifact").GetString()!).Length, chosen.GetProperty("bytes").GetInt64());
        Assert.StartsWith("<QuantizedModel ", chosen.GetProperty("item").GetString(), StringComparison.Ordinal);
        Assert.Single(chosen.GetProperty("points").EnumerateArray());

        string FileOf(string[] words)
        {
            Assert.StartsWith("figure", CommandRun.Of(words).Output, StringComparison.Ordinal);
            return File.ReadAllText(words[^1]);
        }
    }

    [Fact]
    public void The_cache()
    {
        var cache = _folder.File("cache");
        Assert.Equal(0, CommandRun.Of([.. quantized.Command(_folder.File("out")), "--cache", cache]).ExitCode);
        Assert.Equal((1, 1), (Answer("cache", "stats", "--directory", cache, "--json").GetProperty("artifacts").GetInt32(), Answer("cache", "stats", "--directory", cache, "--json").GetProperty("quantized").GetInt32()));
        Assert.Empty(Answer("cache", "verify", "--directory", cache, "--json").GetProperty("removed").EnumerateArray());
        Assert.Equal((1, 0), (Answer("cache", "clean", "--directory", cache, "--json").GetProperty("entriesRemoved").GetInt32(), Answer("cache", "stats", "--directory", cache, "--json").GetProperty("artifacts").GetInt32()));
    }

    [Theory]
    [InlineData("evaluate", "x", "y.jsonl", "--json", "figures.json")]
    [InlineData("evaluate", "x", "y.jsonl", "--json", "-")]
    [InlineData("compare", "x", "y.jsonl", "--calibration", "a", "--json", "figures.json")]
    public void Who_gives_it_a_file_is_told_which_switch_takes_one(params string[] words)
    {
        var run = CommandRun.Of(words);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("'--json-file FILE' writes a file.", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--json", "--markdown")]
    [InlineData("--report", "-", "--markdown")]
    public void Standard_output_takes_one_answer(params string[] switches)
        => Assert.Equal(2, CommandRun.Of(["evaluate", "x", "y.jsonl", .. switches, "-"]).ExitCode);

    private static JsonElement Answer(params string[] words)
    {
        var run = CommandRun.Of(words);
        Assert.True(run.ExitCode == 0, run.Error);
        return Only(run.Output);
    }

    // All of standard output, and an object.
    private static JsonElement Only(string output)
    {
        using var json = JsonDocument.Parse(output);
        Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
        return json.RootElement.Clone();
    }
}
