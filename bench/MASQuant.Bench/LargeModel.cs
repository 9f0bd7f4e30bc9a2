using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using MASQuant.Quantization;

namespace MASQuant.Bench;

/// <summary>Quantizes a checkpoint of 7B shapes and reports the peak of resident memory and the time of every stage.</summary>
internal static class LargeModel
{
    private static readonly string Root = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>Runs it; 0 when the peak stays under 12 GB.</summary>
    /// <param name="folder">Receives checkpoint and artifact; kept, so that a second run need not write them.</param>
    /// <param name="layers">Decoder blocks.</param>
    /// <param name="samples">Conversations, half of them with an image.</param>
    public static int Run(string folder, int layers, int samples)
    {
        const long Limit = 12_000_000_000;
        var model = Path.Combine(folder, "Qwen2.5-VL-7B-shaped");
        if (!File.Exists(Path.Combine(model, "model.safetensors.index.json")))
        {
            LargeCheckpoint.Write(model, Path.Combine(Root, "samples", "models", "vl-tiny"), layers);
        }

        var stages = new StageClock();
        var job = new QuantizationJob
        {
            ModelFolder = model,
            CalibrationFile = Calibration(folder, samples),
            OutputFolder = Path.Combine(folder, "out"),
            WorkFolder = Path.Combine(folder, "work"),
            Name = "Large",
        };
        var manifest = QuantizationPipeline.Run(job, stages);
        foreach (var (stage, time) in stages.Finish())
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {stage} | {time.TotalSeconds:F0} s |"));
        }

        var peak = PeakBytes();
        var tokens = string.Join(", ", manifest.Calibration!.Tokens.Select(pair => $"{pair.Value} {pair.Key}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{layers} of 28 layers, {samples} samples ({tokens} tokens): peak {peak / 1e9:F1} GB resident, mapped files included; artifact {manifest.ArtifactBytes / 1e9:F2} GB"));
        return peak <= Limit ? 0 : 1;
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
        private readonly List<(string Stage, TimeSpan Start)> _starts = [];

        public void Report(QuantizationProgress value)
        {
            if (_starts.Count == 0 || _starts[^1].Stage != value.Message)
            {
                _starts.Add((value.Message, _clock.Elapsed));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed:hh\\:mm\\:ss} {value.Message} ({PeakBytes() / 1e9:F1} GB so far)"));
            }
        }

        public IEnumerable<(string Stage, TimeSpan Time)> Finish()
            => _starts.Zip(_starts.Skip(1).Select(start => start.Start).Append(_clock.Elapsed), (start, end) => (start.Stage, Time: end - start.Start))
                .GroupBy(entry => entry.Stage, (stage, entries) => (stage, new TimeSpan(entries.Sum(entry => entry.Time.Ticks))));
    }
}
