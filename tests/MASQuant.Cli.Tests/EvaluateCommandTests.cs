using System.Text.Json;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class EvaluateCommandTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>
{
    [Fact]
    public void JsonHasEveryModelAndTheReferenceIsExact()
    {
        using var folder = new TemporaryDirectory();
        var data = CalibrationData.Write(folder.Path, samples: 2, skip: 10, name: "eval.jsonl");
        var markdown = folder.File("table.md");
        var run = CommandRun.Of("evaluate", RepositoryFiles.VlTiny, quantized.Artifact, data, "--json", "-", "--markdown", markdown);
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("warning", run.Error, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(run.Output);
        var models = json.RootElement.GetProperty("models").EnumerateArray().ToArray();
        Assert.Equal([RepositoryFiles.VlTiny, quantized.Artifact], models.Select(model => model.GetProperty("model").GetString()));
        var reference = models[0].GetProperty("tasks")[0];
        Assert.Equal((2, 0.0, 1.0), (reference.GetProperty("samples").GetInt32(), reference.GetProperty("kullbackLeibler").GetDouble(), reference.GetProperty("agreement").GetDouble()));
        Assert.InRange(models[1].GetProperty("tasks")[0].GetProperty("kullbackLeibler").GetDouble(), double.Epsilon, double.MaxValue);
        var rows = File.ReadAllLines(markdown);
        Assert.Equal(2 + models.Sum(model => model.GetProperty("tasks").GetArrayLength()), rows.Length);
        Assert.All(rows, row => Assert.Equal(rows[0].Count(c => c == '|'), row.Count(c => c == '|')));
    }

    [Fact]
    public void WithoutAnswersErrorRatesAreNull()
    {
        var run = CommandRun.Of("evaluate", RepositoryFiles.VlTiny, quantized.Data, "--no-generate", "--json", "-");
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var task = json.RootElement.GetProperty("models")[0].GetProperty("tasks")[0];
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (task.GetProperty("wordErrorRate").ValueKind, task.GetProperty("exactRate").ValueKind));
        Assert.Equal(JsonValueKind.Number, task.GetProperty("perplexity").ValueKind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SamplesOfTheCalibrationSetAreWarnedOf(bool given)
    {
        using var folder = new TemporaryDirectory();
        var data = CalibrationData.Write(folder.Path, samples: 3, skip: 2, name: "eval.jsonl");
        if (!given)
        {
            // A copy beside the data, found by the name that the manifest gives.
            CalibrationData.Write(folder.Path, samples: 4);
        }

        var run = CommandRun.Of(["evaluate", RepositoryFiles.VlTiny, quantized.Artifact, data, "--no-generate", .. given ? ["--calibration", quantized.Data] : Array.Empty<string>()]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"{data}(1): warning MASQ0803: 2 of 3 samples (lines 1, 2) are in ", run.Error);
    }

    [Fact]
    public void AnotherModelsTokenizerIsRefused()
    {
        using var folder = new TemporaryDirectory();
        foreach (var file in Directory.EnumerateFiles(RepositoryFiles.VlTiny))
        {
            File.Copy(file, folder.File(Path.GetFileName(file)));
        }

        File.AppendAllText(folder.File("tokenizer.json"), " ");
        var run = CommandRun.Of("evaluate", folder.Path, quantized.Artifact, quantized.Data);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{quantized.Artifact}: error MASQ0806:", run.Error);
    }

    [Fact]
    public void MissingAnswerNamesItsLine()
    {
        using var folder = new TemporaryDirectory();
        var data = folder.File("eval.jsonl");
        File.WriteAllText(data, """
            {"messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}]}
            {"messages": [{"role": "user", "content": "Two?"}]}
            """);
        var run = CommandRun.Of("evaluate", RepositoryFiles.VlTiny, data);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{data}(2): error MASQ0805:", run.Error);
        Assert.Empty(run.Output);
    }
}
