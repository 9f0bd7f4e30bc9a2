using System.Text.RegularExpressions;
using System.Xml.Linq;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

[Trait("Lane", "slow")]
public sealed class TuneCommandTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _calibration;

    public TuneCommandTests() => _calibration = CalibrationData.Write(_folder.Path, samples: 4);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_choice_keeps_the_budget_and_what_is_printed_makes_it_again()
    {
        const long MaxBytes = 1_330_000;
        var run = Tune("out", "--max-bytes", $"{MaxBytes}", "--points", "2", "--report", _folder.File("page.html"));
        Assert.Equal(0, run.ExitCode);
        var artifact = Chosen(run);
        Assert.True(new FileInfo(artifact).Length <= MaxBytes);

        var item = XElement.Parse(Regex.Match(run.Output, "^<QuantizedModel .*/>$", RegexOptions.Multiline).Value);
        var words = item.Attributes().ToDictionary(attribute => attribute.Name.LocalName, attribute => attribute.Value);
        Assert.Equal((RepositoryFiles.VlTiny, _calibration), (words["Include"], words["Calibration"]));
        Assert.Equal(ManifestFile.Read(Path.ChangeExtension(artifact, ".json")).Options, OptionTable.Write(OptionTable.Read(words)));

        var page = XDocument.Parse(File.ReadAllText(_folder.File("page.html")).Replace("<!DOCTYPE html>", "", StringComparison.Ordinal));
        Assert.Contains(page.Descendants("pre"), text => text.Value.StartsWith("<QuantizedModel", StringComparison.Ordinal));
        Assert.Equal(2, page.Descendants("svg").Count());

        var command = Regex.Match(run.Output, "^masquant (quantize .*)$", RegexOptions.Multiline).Groups[1].Value;
        string[] arguments = [.. Regex.Matches(command, "\"([^\"]*)\"|(\\S+)").Select(part => part.Groups[1].Success ? part.Groups[1].Value : part.Groups[2].Value)];
        Assert.Equal("out", arguments[^1]);
        Assert.Equal(0, CommandRun.Of([.. arguments[..^1], _folder.File("again")]).ExitCode);
        Assert.Equal(File.ReadAllBytes(artifact), File.ReadAllBytes(Directory.GetFiles(_folder.File("again"), "*.masquant.safetensors").Single()));
    }

    [Fact]
    public void The_smallest_measured_artifact_with_the_asked_SQNR_is_chosen()
    {
        var run = Tune("out", "--min-sqnr-text", "19", "--min-sqnr-vision", "21");
        Assert.Equal(0, run.ExitCode);
        var chosen = ManifestFile.Read(Path.ChangeExtension(Chosen(run), ".json"));
        Assert.True(Keeps(chosen));
        var measured = Directory.GetFiles(_folder.File("out"), "*.masquant.json", SearchOption.AllDirectories).Select(ManifestFile.Read).ToArray();
        Assert.InRange(measured.Length, 1, 4);
        Assert.Equal(measured.Where(Keeps).Min(manifest => manifest.ArtifactBytes), chosen.ArtifactBytes);

        // Smaller than 8 bits everywhere, larger than 4 bits everywhere: the budget was met by mixing.
        Assert.Equal(2, chosen.Layers.SelectMany(layer => layer.Linears).Select(linear => linear.Scheme).Distinct().Count());
    }

    [Fact]
    public void A_rerun_reuses_everything_and_answers_the_same()
    {
        string[] budget = ["--max-bytes", "1330000", "--points", "2"];
        using var cancelled = new TemporaryDirectory();
        var whole = Tune("out", budget);
        var again = Tune("out", budget);
        Assert.Equal((0, whole.Output), (again.ExitCode, again.Output));
        Assert.DoesNotContain("finished", again.Error);
        Assert.Equal(1 + Directory.GetDirectories(_folder.File("out/points")).Length, Regex.Count(again.Error, ": made by an earlier run."));

        var broken = CommandRun.CancelledAt("Point 1, ", Arguments("other", budget));
        Assert.Equal((130, ""), (broken.ExitCode, broken.Output));
        Assert.Contains("the same command resumes", broken.Error);
        var resumed = Tune("other", budget);
        Assert.Contains("Measurements: made by an earlier run.", resumed.Error);
        Assert.Equal((0, whole.Output), (resumed.ExitCode, resumed.Output));
    }

    [Fact]
    public void Other_options_are_chosen_by_quantizing_the_first_setting_with_each()
    {
        var run = Tune("out", "--max-bytes", "1330000", "--points", "2", "--sweep", "WeightQuantizer=Rtn,Gptq");
        Assert.Equal(0, run.ExitCode);
        var measured = Directory.GetFiles(_folder.File("out"), "*.masquant.json", SearchOption.AllDirectories).Select(ManifestFile.Read).ToDictionary(manifest => manifest.Options["WeightQuantizer"]);
        Assert.Equal(["Gptq", "Rtn"], measured.Keys.Order(StringComparer.Ordinal));
        string[] shared = ["Scheme", "LayerSchemes", "Rank", "LayerRanks"];
        Assert.All(shared, option => Assert.Equal(measured["Rtn"].Options.GetValueOrDefault(option), measured["Gptq"].Options.GetValueOrDefault(option)));

        static double Lowest(Manifest manifest) => manifest.Layers.SelectMany(layer => layer.Linears).SelectMany(linear => linear.Sqnr.Values).Min(sqnr => sqnr.After);
        var best = measured.Values.Where(manifest => manifest.ArtifactBytes <= 1_330_000).MaxBy(Lowest)!;
        Assert.Equal(best.Options, ManifestFile.Read(Path.ChangeExtension(Chosen(run), ".json")).Options);
        Assert.Matches("point +kB +8-bit weights % +patches +WeightQuantizer", run.Output);
    }

    [Fact]
    public void Machines_take_shares_of_the_measurements_and_of_the_sweep_and_the_answer_stays_the_same()
    {
        string[] budget = ["--max-bytes", "1330000", "--points", "2", "--sweep", "WeightQuantizer=Rtn,Gptq"];
        var whole = Tune("out", budget);
        CommandRun Share(int i) => Tune("other", [.. budget, "--point", $"{i}/2"]);
        CommandRun[] measured = [Share(1), Share(0)];
        Assert.All(measured, run => Assert.Equal((0, ""), (run.ExitCode, run.Output)));
        Assert.Contains("blocks 1-2: finished", measured[0].Error);
        Assert.Contains("blocks 0: finished", measured[1].Error);
        Assert.False(Directory.Exists(_folder.File("other/points")));

        CommandRun[] swept = [Share(0), Share(1)];
        Assert.All(swept, run => Assert.Equal(1, Regex.Count(run.Error, "^Point .*: finished", RegexOptions.Multiline)));
        var rest = Tune("other", budget);
        Assert.Equal((0, whole.Output), (rest.ExitCode, rest.Output));
        Assert.Equal(3, Regex.Count(rest.Error, ": made by an earlier run."));
    }

    [Fact]
    public void A_repeated_share_measures_nothing_twice()
    {
        string[] words = ["--max-bytes", "1330000", "--point", "0/3"];
        Assert.Contains("Measuring", Tune("out", words).Error);
        var again = Tune("out", words);
        Assert.DoesNotContain("Measuring", again.Error);
        Assert.Contains("Measurements, share 0/3: made by an earlier run.", again.Error);
        Assert.Contains("Measuring", Tune("out", [.. words, "--schemes", "W4A8"]).Error);
    }

    [Theory]
    [InlineData("--min-sqnr-text", "70", @"Text has \d+\.\d\d dB in layer \d\.\S+, \d+\.\d\d dB less than --min-sqnr-text asks.*What helps: more --epochs")]
    [InlineData("--max-bytes", "1000", @"the artifact has \d+ bytes, \d+ more than --max-bytes allows.*What helps: --max-bytes of about \d+")]
    public void What_is_missing_is_told(string option, string value, string message)
    {
        var run = Tune("out", option, value, "--points", "1");
        Assert.Equal(1, run.ExitCode);
        Assert.Matches("error MASQ0515: None of 1 quantized settings keeps the budgets. The nearest, A: " + message, run.Error);
        Assert.Contains("SQNR text", run.Output);
        Assert.DoesNotContain("<QuantizedModel", run.Output);
    }

    /// <summary>A scheme that there is not, and the refusal, which lists those that there are.</summary>
    public static TheoryData<string, string[]> UnknownScheme => new() { { $"'W3A3' is not allowed for '--schemes'. Allowed: {string.Join(", ", QuantizationScheme.All)}.", ["--max-bytes", "5", "--schemes", "W4A8,W3A3"] } };

    [Theory]
    [MemberData(nameof(UnknownScheme))]
    [InlineData("Give a budget: --min-sqnr-text, --min-sqnr-vision, --min-sqnr-audio, --max-bytes, --max-evaluation-loss.")]
    [InlineData("Did you mean '--max-bytes'?", "--max-byte", "5")]
    [InlineData("'much' is not allowed for '--min-sqnr-text'", "--min-sqnr-text", "much")]
    [InlineData("'-1' is not allowed for '--max-bytes'", "--max-bytes", "-1")]
    [InlineData("'Rank' is not swept: 'tune' chooses it.", "--max-bytes", "5", "--sweep", "rank=4,8")]
    [InlineData("'Method' is not swept: give it with '--method'.", "--max-bytes", "5", "--sweep", "Method=MAS")]
    [InlineData("'Alternation' is not allowed for '--sweep'. Did you mean 'Alternations'?", "--max-bytes", "5", "--sweep", "Alternation=1")]
    [InlineData("Unrecognized option '--rank'", "--max-bytes", "5", "--rank", "4")]
    public void Wrong_usage_is_told(string message, params string[] words)
    {
        var run = Tune("out", words);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    private static string Chosen(CommandRun run) => Regex.Match(run.Error, "^The chosen artifact: (.*)$", RegexOptions.Multiline).Groups[1].Value;

    private static bool Keeps(Manifest manifest)
        => manifest.Layers.SelectMany(layer => layer.Linears).All(linear => linear.Sqnr["Text"].After >= 19 && linear.Sqnr["Vision"].After >= 21);

    private string[] Arguments(string output, string[] words)
        => ["tune", RepositoryFiles.VlTiny, "--calibration", _calibration, "--epochs", "0", "--output", _folder.File(output), .. words];

    private CommandRun Tune(string output, params string[] words) => CommandRun.Of(Arguments(output, words));
}
