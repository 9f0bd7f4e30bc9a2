using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;

namespace MASQuant.Bench;

/// <summary>Quantizes a checkpoint of 7B shapes and reports the time of every stage and the peak of resident memory at its end, beside what was planned.</summary>
internal static class LargeModel
{
    private static readonly string Root = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>Runs it; 0 when the peak stays within the limit and within the plan.</summary>
    /// <param name="folder">Receives checkpoint and artifact; kept, so that a second run need not write them.</param>
    /// <param name="layers">Decoder blocks.</param>
    /// <param name="samples">Conversations, half of them with an image.</param>
    /// <param name="fraction">By which 7B's extents are divided: 1, 2 or 4.</param>
    public static int Run(string folder, int layers, int samples, int fraction)
    {
        const double WholeLimit = 12e9;
        var model = Path.Combine(folder, $"Qwen2.5-VL-7B-shaped-{fraction}");
        if (!File.Exists(Path.Combine(model, "model.safetensors.index.json")))
        {
            new LargeCheckpoint(layers, fraction).Write(model, Path.Combine(Root, "samples", "models", "vl-tiny"));
        }

        var job = new QuantizationJob
        {
            ModelFolder = model,
            CalibrationFile = Calibration(folder, samples),
            OutputFolder = Path.Combine(folder, "out"),
            WorkFolder = Path.Combine(folder, "work"),
            Name = "Large",
        };
        var planned = PlannedBytes(job);
        var stages = new StageClock();
        var manifest = QuantizationPipeline.Run(job, stages);
        Console.WriteLine("| stage | time | processor time | peak of resident memory at its end |\n|---|---:|---:|---:|");
        foreach (var (stage, time, processor, peakThen) in stages.Finish())
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {stage} | {time.TotalSeconds:F0} s | {processor.TotalSeconds:F0} s | {peakThen / 1e9:F1} GB |"));
        }

        var peak = PeakBytes();
        var limit = (long)(WholeLimit / fraction); // The embeddings shrink with one extent, weights and Gram matrices with two.
        var tokens = string.Join(", ", manifest.Calibration!.Tokens.Select(pair => $"{pair.Value} {pair.Key}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{layers} of 28 layers, {samples} samples ({tokens} tokens); artifact {manifest.ArtifactBytes / 1e9:F2} GB"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak {peak / 1e9:F2} GB resident, mapped files included; limit {limit / 1e9:F1} GB: {Verdict(peak <= limit)}; planned {planned / 1e9:F2} GB: {Verdict(peak <= planned)}"));
        return peak <= limit && peak <= planned ? 0 : 1;
    }

    private static string Verdict(bool holds) => holds ? "holds" : "MISSED";

    private static long PlannedBytes(QuantizationJob job)
    {
        using var checkpoint = Checkpoint.Open(job.ModelFolder);
        var config = ModelConfigReader.Read(checkpoint);
        return QuantizationPlan.Of(checkpoint, config, job.Options, CalibrationExtent.Of(CalibrationSet.Load(job.CalibrationFile, config).Conversations, config)).MemoryBytes;
    }

    private static string Calibration(string folder, int samples)
    {
        var data = Path.Combine(Root, "samples", "data");
        var target = Path.Combine(folder, "calibration");
        Directory.CreateDirectory(Path.Combine(target, "media"));
        var rows = File.ReadLines(Path.Combine(data, "calibration.jsonl")).Where(row => !row.Contains("\"audio\"", StringComparison.Ordinal)).ToArray();
        string[] chosen = [.. rows.Where(row => row.Contains("\"image\"", StringComparison.Ordinal)).Take(samples / 2), .. rows.Where(row => !row.Contains("\"image\"", StringComparison.Ordinal)).Take(samples - (samples / 2))];
        foreach (var media in chosen.SelectMany(row => row.Split('"')).Where(word => word.StartsWith("media/", StringComparison.Ordinal)))
        {
            File.Copy(Path.Combine(data, media), Path.Combine(target, media), overwrite: true);
        }

        var file = Path.Combine(target, "calibration.jsonl");
        File.WriteAllLines(file, chosen);
        return file;
    }

    // Linux counts the peak itself; elsewhere .NET's figure is the same.
    private static long PeakBytes()
    {
        const string Status = "/proc/self/status";
        return File.Exists(Status)
            ? 1024 * long.Parse(File.ReadLines(Status).First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : Process.GetCurrentProcess().PeakWorkingSet64;
    }

    private sealed class StageClock : IProgress<QuantizationProgress>
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly List<(string Stage, TimeSpan Start, TimeSpan Processor, long Peak)> _starts = [];

        public void Report(QuantizationProgress value)
        {
            if (_starts.Count == 0 || _starts[^1].Stage != value.Message)
            {
                _starts.Add((value.Message, _clock.Elapsed, Environment.CpuUsage.TotalTime, PeakBytes()));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed:hh\\:mm\\:ss} {value.Message} ({_starts[^1].Peak / 1e9:F2} GB so far)"));
            }
        }

        public IEnumerable<(string Stage, TimeSpan Time, TimeSpan Processor, long Peak)> Finish()
            => _starts.Zip(_starts.Skip(1).Append(("", _clock.Elapsed, Environment.CpuUsage.TotalTime, PeakBytes())), (start, next) => (start.Stage, next.Item2 - start.Start, next.Item3 - start.Processor, next.Item4));
    }
}
