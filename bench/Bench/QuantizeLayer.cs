using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;

namespace MASQuant.Bench;

/// <summary>Quantizes decoder layers of a real model's shape and prints each stage's time beside its floor, the peak of memory, and what the plan had said.</summary>
internal static class QuantizeLayer
{
    /// <summary>The repository.</summary>
    public static readonly string Root = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    private const int TokensPerSample = 400;
    private static readonly QuantizationStage[] Stages = [QuantizationStage.Calibrate, QuantizationStage.Smooth, QuantizationStage.Quantize, QuantizationStage.Compensate];

    /// <summary>Runs it; 0 when every stage stays within the limit.</summary>
    /// <param name="shape">The layers.</param>
    /// <param name="tokens">Of the calibration set, about; half of them vision's.</param>
    /// <param name="layers">Decoder layers, one after the other.</param>
    /// <param name="effort">Of the method.</param>
    /// <param name="folder">Receives checkpoint, calibration set and artifact; the checkpoint is kept for the next run.</param>
    public static int Run(ModelShape shape, int tokens, int layers, EffortKind effort, string folder)
    {
        var job = Job(shape, tokens, layers, effort, folder);
        Roofs.MultiplyAdd();
        var start = Stopwatch.GetTimestamp();
        Roofs.MultiplyAdd();
        var roof = Environment.ProcessorCount * Roofs.MultiplyAddOperations / Stopwatch.GetElapsedTime(start).TotalSeconds;
        var plan = PlannedTimes.Plan(job);
        using var times = new StageTimes();
        start = Stopwatch.GetTimestamp();
        var manifest = QuantizationPipeline.Run(job, times);
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        times.Dispose();
        return Print(shape, job, manifest, plan, times, layers, roof, took);
    }

    /// <summary>What is run.</summary>
    public static QuantizationJob Job(ModelShape shape, int tokens, int layers, EffortKind effort, string folder)
    {
        var model = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"Qwen2.5-VL-{shape.Name}-shaped-{layers}"));
        if (!File.Exists(Path.Combine(model, "model.safetensors.index.json")))
        {
            new LargeCheckpoint(layers, shape).Write(model, Path.Combine(Root, "samples", "models", "vl-tiny"));
        }

        return new QuantizationJob
        {
            ModelFolder = model,
            CalibrationFile = Calibration(folder, Math.Max(1, tokens / TokensPerSample)),
            OutputFolder = Path.Combine(folder, "out"),
            WorkFolder = Path.Combine(folder, "work"),
            Name = "Layers",
            Options = new QuantizationOptions { Effort = effort },
        };
    }

    private static int Print(ModelShape shape, QuantizationJob job, Manifest manifest, QuantizationPlan plan, StageTimes times, int layers, double roof, double took)
    {
        const double Limit = 2.5;
        var counts = manifest.Calibration!.Tokens;
        var (tokens, patched) = (counts.Sum(pair => (long)pair.Value), counts.Where(pair => pair.Key != "Text").Sum(pair => (long)pair.Value));
        var floor = new LayerFloor(shape, job.Options, tokens, patched, roof);
        Line($"{shape.Name}, {layers} layers, {tokens} tokens ({string.Join(", ", counts.Select(pair => $"{pair.Value} {pair.Key}"))}), effort {job.Options.Effort}, {Environment.ProcessorCount} threads, multiply-add roof {roof / 1e9:F0} GFLOP/s");
        Line($"| stage | {string.Join(" | ", Enumerable.Range(1, layers).Select(layer => $"layer {layer}"))} | cores busy | floor | ratio |");
        Line($"|---|{string.Concat(Enumerable.Repeat("---:|", layers + 3))}");
        var misses = 0;
        foreach (var stage in Stages)
        {
            var spent = Enumerable.Range(0, layers).Select(layer => times.Of(layer, stage)).ToArray();
            var (time, least) = (spent.Average(s => s.Time), floor.Of(stage));
            misses += least > 0 && time > Limit * least ? 1 : 0;
            Line($"| {stage} | {string.Join(" | ", spent.Select(s => $"{s.Time:F1} s"))} | {spent.Sum(s => s.Processor) / spent.Sum(s => s.Time):F2} | {least:F1} s | {(least > 0 ? (time / least).ToString("F2", CultureInfo.InvariantCulture) : "")} |");
        }

        double Layer(int layer) => Stages.Sum(stage => times.Of(layer, stage).Time);
        var (whole, sum) = (Enumerable.Range(0, layers).Average(Layer), Stages.Sum(floor.Of));
        Line($"| **all** | {string.Join(" | ", Enumerable.Range(0, layers).Select(layer => $"{Layer(layer):F1} s"))} | | {sum:F1} s | {whole / sum:F2} |");
        Line($"| own memory at most | {string.Join(" | ", Enumerable.Range(0, layers).Select(layer => $"{times.Peak(layer) / 1e9:F2} GB"))} | | | |");
        var outside = times.Of(-1, QuantizationStage.Prepare).Time + times.Of(-1, QuantizationStage.Write).Time;
        Line($"preparing and writing {outside:F1} s, {times.Peak(-1) / 1e9:F2} GB; {took:F0} s in all; planned {plan.MemoryBytes / 1e9:F2} GB with mapped files, {plan.Operations / MachineResources.MeasureSpeed():F0} s");
        return misses == 0 ? 0 : 1;
    }

    private static void Line(FormattableString line) => Console.WriteLine(FormattableString.Invariant(line));

    // Every sample: an image of about 200 tokens, and as many of text.
    private static string Calibration(string folder, int samples)
    {
        const int TextLetters = 248;
        var data = Path.Combine(Root, "samples", "data");
        var target = Path.Combine(folder, "calibration");
        Directory.CreateDirectory(Path.Combine(target, "media"));
        JsonNode[] rows = [.. File.ReadLines(Path.Combine(data, "calibration.jsonl")).Select(row => JsonNode.Parse(row)!)];
        string[] images = [.. rows.SelectMany(Parts).Select(part => (string?)part["image"]).OfType<string>()];
        var text = string.Join(' ', rows.SelectMany(Texts));
        var lines = Enumerable.Range(0, samples).Select(i =>
        {
            var image = images[i % images.Length];
            File.Copy(Path.Combine(data, image), Path.Combine(target, image), overwrite: true);
            return new JsonObject
            {
                ["messages"] = new JsonArray(
                    new JsonObject { ["role"] = "user", ["content"] = new JsonArray(new JsonObject { ["type"] = "image", ["image"] = image }, new JsonObject { ["type"] = "text", ["text"] = Part(i) }) },
                    new JsonObject { ["role"] = "assistant", ["content"] = Part(i + samples) }),
            }.ToJsonString();
        });
        var file = Path.Combine(target, "calibration.jsonl");
        File.WriteAllLines(file, lines);
        return file;

        string Part(int i) => text.Substring(i * 97 % (text.Length - TextLetters), TextLetters);
    }

    private static IEnumerable<JsonNode> Parts(JsonNode row) => row["messages"]!.AsArray().Select(message => message!["content"]).OfType<JsonArray>().SelectMany(parts => parts).OfType<JsonNode>();

    private static IEnumerable<string> Texts(JsonNode row) => row["messages"]!.AsArray().Select(message => message!["content"]).OfType<JsonValue>().Select(content => (string)content!);
}
