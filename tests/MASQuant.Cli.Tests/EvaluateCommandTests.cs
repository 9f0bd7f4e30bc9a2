using System.Text.Json;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class EvaluateCommandTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>
{
    [Fact]
    public void JSON_has_every_model_and_the_reference_is_exact()
    {
        using var folder = new TemporaryDirectory();
        var data = CalibrationData.Write(folder.Path, samples: 2, skip: 10, name: "eval.jsonl");
        var markdown = folder.File("table.md");
        var run = CommandRun.Of("evaluate", RepositoryFiles.VlTiny, quantized.Artifact, data, "--json", "--markdown", markdown);
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("warning", run.Error, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(run.Output);
        var models = json.RootElement.GetProperty("models").EnumerateArray().ToArray();
        Assert.Equal([RepositoryFiles.VlTiny, quantized.Artifact], models.Select(model => model.GetProperty("model").GetString()));
        var reference = models[0].GetProperty("tasks")[0];
        Assert.Equal((2, 0.0, 1.0), (reference.GetProperty("samples").GetInt32(), Value(reference, "kullbackLeibler"), Value(reference, "agreement")));
        var task = models[1].GetProperty("tasks")[0];
        Assert.InRange(Value(task, "kullbackLeibler"), double.Epsilon, double.MaxValue);
        Assert.Equal(Value(task, "perplexity") - Value(reference, "perplexity"), task.GetProperty("perplexity").GetProperty("difference").GetDouble());
        var interval = task.GetProperty("perplexity").GetProperty("interval").EnumerateArray().Select(end => end.GetDouble()).ToArray();
        Assert.InRange(Value(task, "perplexity"), interval[0], interval[1]);
        var modalities = models[1].GetProperty("modalities").EnumerateArray().ToArray();
        Assert.Equal(["Text", "Vision"], modalities.Select(modality => modality.GetProperty("modality").GetString()));
        Assert.All(modalities, modality => Assert.Equal(3, modality.GetProperty("blockSqnr").GetArrayLength()));

        string[] tables = File.ReadAllText(markdown).Split("\n\n");
        Assert.Equal(2 + models.Sum(model => model.GetProperty("tasks").GetArrayLength()), tables[0].Split('\n').Length);
        Assert.Equal(2 + modalities.Length, tables[1].Split('\n').Length);
        Assert.All(tables[..2], table => Assert.Single(table.Split('\n').Select(row => row.Count(c => c == '|')).Distinct()));
    }

    [Fact]
    public void A_report_shows_the_answers_that_changed_with_their_images()
    {
        using var folder = new TemporaryDirectory();
        var data = CalibrationData.Write(folder.Path, samples: 3, skip: 10, name: "eval.jsonl");
        var rtn = CommandRun.Of("quantize", RepositoryFiles.VlTiny, "--method", "RTN", "--scheme", "W4A6", "--calibration", quantized.Data, "--output", folder.Path, "--name", "Rtn");
        Assert.Equal(0, rtn.ExitCode);
        Assert.Equal(0, CommandRun.Of("evaluate", RepositoryFiles.VlTiny, folder.File("Rtn.masquant.safetensors"), data, "--max-tokens", "8", "--report", folder.File("page.html")).ExitCode);
        var page = File.ReadAllText(folder.File("page.html"));
        Assert.All((string[])["figures", "divergence", "blocks", "changed", "model1"], section => Assert.Contains($"<section id=\"{section}\">", page));
        foreach (var image in File.ReadLines(data).Select(line => line.Split('"').First(text => text.StartsWith("media/", StringComparison.Ordinal))))
        {
            // Answers of random weights hang on little: every one changes.
            Assert.Contains(Convert.ToBase64String(File.ReadAllBytes(folder.File(image))), page);
        }
    }

    [Fact]
    public void Images_keep_as_many_pixels_as_are_asked_for()
    {
        Assert.NotEqual(Perplexity(), Perplexity("--max-pixels", "3136"));
        Assert.NotEqual(Perplexity(), Perplexity("--min-pixels", "78400"));

        double Perplexity(params string[] pixels)
        {
            var run = CommandRun.Of(["evaluate", RepositoryFiles.VlTiny, quantized.Data, "--no-generate", "--limit", "1", "--json", .. pixels]);
            using var json = JsonDocument.Parse(run.Output);
            return Value(json.RootElement.GetProperty("models")[0].GetProperty("tasks")[0], "perplexity");
        }
    }

    [Fact]
    public void Without_answers_error_rates_are_null()
    {
        var run = CommandRun.Of("evaluate", RepositoryFiles.VlTiny, quantized.Data, "--no-generate", "--json");
        Assert.Equal(0, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var task = json.RootElement.GetProperty("models")[0].GetProperty("tasks")[0];
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (task.GetProperty("wordErrorRate").ValueKind, task.GetProperty("exactRate").ValueKind));
        Assert.InRange(Value(task, "perplexity"), 1, double.MaxValue);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Samples_of_the_calibration_set_are_warned_of(bool given)
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
    public void Another_models_tokenizer_is_refused()
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
    public void An_artifact_is_the_reference_only_when_asked_for()
    {
        string[] words = ["evaluate", quantized.Artifact, quantized.Data, "--no-generate", "--limit", "1", "--json"];
        var refused = CommandRun.Of(words);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"{quantized.Artifact}: error MASQ0806: The first model is the reference", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--quantized-reference", refused.Error, StringComparison.Ordinal);

        using var folder = new TemporaryDirectory();
        var copy = folder.File("Copy.masquant.safetensors");
        File.Copy(quantized.Artifact, copy);
        Assert.Equal(0, CommandRun.Of([.. words, "--quantized-reference"]).ExitCode);
        using var json = JsonDocument.Parse(CommandRun.Of(["evaluate", quantized.Artifact, copy, .. words[2..], "--quantized-reference"]).Output);
        Assert.Equal(0, Value(json.RootElement.GetProperty("models")[1].GetProperty("tasks")[0], "kullbackLeibler"));
    }

    [Fact]
    public void A_model_is_not_compared_with_itself()
    {
        using var folder = new TemporaryDirectory();
        var link = folder.File("Link.masquant.safetensors");
        File.CreateSymbolicLink(link, quantized.Artifact);
        foreach (var models in (string[][])[[RepositoryFiles.VlTiny, RepositoryFiles.VlTiny + "/"], [RepositoryFiles.VlTiny, quantized.Artifact, quantized.Artifact], [RepositoryFiles.VlTiny, quantized.Artifact, link]])
        {
            var run = CommandRun.Of(["evaluate", .. models, quantized.Data]);
            Assert.Equal(1, run.ExitCode);
            Assert.StartsWith($"{models[^1]}: error MASQ0806: The model is given twice", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Limit_counts_per_task()
    {
        using var folder = new TemporaryDirectory();
        var data = folder.File("eval.jsonl");
        File.WriteAllLines(data, ((string[])["a", "a", "b", "b"]).Select(task => $$"""{"task": "{{task}}", "messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}]}"""));
        using var json = JsonDocument.Parse(CommandRun.Of("evaluate", RepositoryFiles.VlTiny, data, "--limit", "1", "--no-generate", "--json").Output);
        Assert.Equal([("a", 1), ("b", 1)], json.RootElement.GetProperty("models")[0].GetProperty("tasks").EnumerateArray().Select(task => (task.GetProperty("task").GetString(), task.GetProperty("samples").GetInt32())));
    }

    [Fact]
    public void Missing_answer_names_its_line()
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

    private static double Value(JsonElement task, string figure) => task.GetProperty(figure).GetProperty("value").GetDouble();
}
