using System.Text.Json;
using System.Text.RegularExpressions;
using MASQuant.Formats.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public sealed class CompareCommandTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _calibration;
    private readonly string _data;

    public CompareCommandTests()
    {
        _calibration = CalibrationData.Write(_folder.Path, samples: 4);
        _data = CalibrationData.Write(_folder.Path, samples: 4, skip: 10, name: "eval.jsonl");
    }

    [Fact]
    public void A_rerun_reuses_the_artifacts_and_gives_the_same_figures()
    {
        var first = Compare("--json", "--markdown", _folder.File("first.md"));
        Assert.Equal((0, 2), (first.ExitCode, Count(first.Error, ": quantized")));
        var written = Artifacts().ToDictionary(file => file, File.GetLastWriteTimeUtc);

        var second = Compare("--json", "--markdown", _folder.File("second.md"));
        Assert.Equal((0, 2), (second.ExitCode, Count(second.Error, ": made by an earlier run.")));
        Assert.Equal(first.Output, second.Output);
        Assert.Equal(File.ReadAllText(_folder.File("first.md")), File.ReadAllText(_folder.File("second.md")));
        Assert.Equal(written, Artifacts().ToDictionary(file => file, File.GetLastWriteTimeUtc));

        using var json = JsonDocument.Parse(first.Output);
        var models = json.RootElement.GetProperty("models").EnumerateArray().ToArray();
        Assert.Equal([null, "SmoothQuant W4A8", "RTN W4A8"], models.Select(model => model.GetProperty("method").GetString() is { } method ? $"{method} {model.GetProperty("scheme").GetString()}" : null));
        Assert.Equal(Artifacts().Select(file => new FileInfo(file).Length).Order(), models.Skip(1).Select(model => model.GetProperty("bytes").GetInt64()).Order());
        Assert.All(models.SelectMany(model => model.GetProperty("tasks").EnumerateArray()), task => Assert.Equal(1, task.GetProperty("samples").GetInt32()));

        File.WriteAllLines(_calibration, File.ReadLines(_calibration).Take(3).ToArray());
        Assert.Equal(2, Count(Compare("--json").Error, ": quantized"));
    }

    [Fact]
    public void Machines_take_shares_and_the_command_without_one_finds_their_models()
    {
        var shares = Enumerable.Range(0, 3).Select(i => Compare("--point", $"{i}/3")).ToArray();
        Assert.Equal([0, 1, 1], shares.Select(share => share.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.All(shares, share => Assert.Equal(share.Output.Length > 0 ? 1 : 0, Count(share.Error, ": quantized")));
        Assert.Equal(Artifacts().Order(), shares.SelectMany(share => share.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Order());

        var whole = Compare("--json");
        Assert.Equal((0, 2), (whole.ExitCode, Count(whole.Error, ": made by an earlier run.")));
        using var json = JsonDocument.Parse(whole.Output);
        Assert.Equal(3, json.RootElement.GetProperty("models").GetArrayLength());
    }

    [Fact]
    public void Images_keep_as_many_pixels_as_are_asked_for_where_models_are_made_and_where_they_are_measured()
    {
        var (usual, fewer) = (Compare("--json"), Compare("--json", "--max-pixels", "3136"));
        Assert.Equal((2, 2), (Count(usual.Error, ": quantized"), Count(fewer.Error, ": quantized"))); // other inputs, other keys
        Assert.NotEqual(ReferencePerplexity(usual), ReferencePerplexity(fewer));

        static double ReferencePerplexity(CommandRun run)
        {
            using var json = JsonDocument.Parse(run.Output);
            return json.RootElement.GetProperty("models")[0].GetProperty("tasks")[0].GetProperty("perplexity").GetProperty("value").GetDouble();
        }
    }

    [Fact]
    public void A_subset_is_named_in_the_artifact()
    {
        var run = Compare("--methods", "rtn", "--samples", "2", "--subset-seed", "7");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("RTN", run.Output);
        var facts = ManifestFile.Read(_folder.File("out/RTN_W4A8_2_7.masquant.json")).Calibration!;
        Assert.Equal((2, 7UL), (facts.Samples, facts.SubsetSeed));
    }

    [Fact]
    public void A_sweep_quantizes_every_combination_and_names_its_values()
    {
        var run = Compare("--methods", "MASQuant", "--sweep", "Epochs=0", "--sweep", "rank=2,4,02", "--sweep", "ModalityWeights=1,1,1;1,0.5,1", "--json", "--report", _folder.File("page.html"), "--markdown", _folder.File("table.md"));
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var models = json.RootElement.GetProperty("models").EnumerateArray().Skip(1).ToArray();
        Assert.Equal(
            ["0 2 1,1,1", "0 2 1,0.5,1", "0 4 1,1,1", "0 4 1,0.5,1"],
            models.Select(model => string.Join(' ', model.GetProperty("options").EnumerateObject().Select(option => option.Value.GetString()))));
        foreach (var model in models)
        {
            // What the artifact says of itself is what the row says of it.
            var path = model.GetProperty("model").GetString()!;
            var manifest = ManifestFile.Read(path.Replace(ModelFiles.ArtifactSuffix, ModelFiles.ManifestSuffix));
            Assert.All(model.GetProperty("options").EnumerateObject(), option => Assert.Equal(option.Value.GetString(), manifest.Options[option.Name]));
        }

        Assert.Contains("| KL | W4A8 | MASQuant | 0 | 4 | 1,0.5,1 |", Regex.Replace(File.ReadAllText(_folder.File("table.md")), " +", " "));
        Assert.Contains("MASQuant W4A8 Epochs=0 Rank=4 ModalityWeights=1,0.5,1", File.ReadAllText(_folder.File("page.html")));
        Assert.True(File.Exists(_folder.File("out/MASQuant_W4A8_Epochs0_Rank4_ModalityWeights1_0p5_1.masquant.safetensors")));
    }

    [Fact]
    public void Data_without_answers_is_refused_before_anything_is_quantized()
    {
        File.WriteAllText(_data, """{"messages": [{"role": "user", "content": "Two?"}]}""");
        var run = Compare();
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains($"{_data}(1): error MASQ0805:", run.Error);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Theory]
    [InlineData("--methods", "RTN,Custom", "'Custom' is not allowed for '--methods'")]
    [InlineData("--schemes", "W3A3", "'W3A3' is not allowed for '--schemes'")]
    [InlineData("--point", "2/2", "'2/2' is not allowed for '--point'. Allowed: I/N with I from 0 to N − 1.")]
    [InlineData("--sweep", "Rnak=1,2", "'Rnak' is not allowed for '--sweep'. Did you mean 'Rank'?")]
    [InlineData("--sweep", "Rank=1,no", "'no' is not allowed for 'Rank'. Allowed: 0…4096.")]
    [InlineData("--sweep", "Scheme=W4A8", "'Scheme' is not swept: list its values with '--schemes'.")]
    public void An_unknown_word_is_named(string option, string value, string message)
    {
        var run = CommandRun.Of("compare", RepositoryFiles.VlTiny, _data, "--calibration", _calibration, option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error);
    }

    public void Dispose() => _folder.Dispose();

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private string[] Artifacts() => Directory.GetFiles(_folder.File("out"), "*.masquant.safetensors");

    private CommandRun Compare(params string[] more)
        => CommandRun.Of([
            "compare", RepositoryFiles.VlTiny, _data, "--calibration", _calibration, "--output", _folder.File("out"), "--schemes", "W4A8", "--limit", "1", "--no-generate",
            .. more.Contains("--methods") ? Array.Empty<string>() : ["--methods", "SmoothQuant,RTN"], .. more]);
}
