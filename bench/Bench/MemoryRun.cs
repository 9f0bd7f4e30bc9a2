using System.Diagnostics;
using System.Globalization;
using MASQuant.Engine.Execution;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;

namespace MASQuant.Bench;

/// <summary>What a whole model of a real shape takes: the artifact's bytes, the time from a warm file to the first token, and the resident memory, own and mapped, before and after a prompt with a picture.</summary>
internal static class MemoryRun
{
    private const int PromptTokens = 256;
    private const double Limit = 1.15;

    /// <summary>Writes artifacts and runs each in a process of its own; 0 when the one with 8 bits everywhere keeps the limit.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="kept">Receives the artifacts, 9 GB, and has them for the next run; null: each is deleted once it was measured.</param>
    public static int Run(ModelShape shape, string? kept)
    {
        var misses = 0;
        Console.WriteLine("| Head | Towers | artifact | cache | loaded: own + mapped | after the prompt: own + mapped | of artifact + cache | load to first token |");
        Console.WriteLine("|---|---|---:|---:|---:|---:|---:|---:|");
        foreach (var (head, towers) in new[] { (PartKind.Full, PartKind.Full), (PartKind.W8, PartKind.Full), (PartKind.W8, PartKind.W8) })
        {
            var place = Path.Combine(kept ?? Path.GetTempPath(), $"memory-{shape.Name}-{head}-{towers}");
            try
            {
                var artifact = Path.Combine(place, "Random" + ModelFiles.ArtifactSuffix);
                artifact = File.Exists(artifact) ? artifact : RandomArtifact.Write(place, shape, new QuantizationOptions { Head = head, Towers = towers });
                var bytes = new FileInfo(artifact).Length;
                var first = Child("first", artifact);
                var prompt = Child("prompt", artifact);
                var (cache, own, mapped) = (prompt[0], prompt[3], prompt[4]);
                var share = (own + mapped) / (bytes + cache);
                misses += towers == PartKind.W8 && share > Limit ? 1 : 0;
                Console.WriteLine(FormattableString.Invariant(
                    $"| {head} | {towers} | {bytes / 1e9:F2} GB | {cache / 1e6:F0} MB | {prompt[1] / 1e9:F2} + {prompt[2] / 1e9:F2} GB | {own / 1e9:F2} + {mapped / 1e9:F2} GB | {share:F2} | {first[0]:F2} s |"));
            }
            finally
            {
                if (kept is null)
                {
                    Directory.Delete(place, recursive: true);
                }
            }
        }

        return misses == 0 ? 0 : 1;
    }

    /// <summary>Runs what <see cref="Run"/> measures, in the process that is measured.</summary>
    public static int RunOne(string what, string artifact)
    {
        var start = Stopwatch.GetTimestamp();
        using var model = LoadedModel.Load(artifact);
        var loaded = Memory();
        if (what == "first")
        {
            Answer(model, new Prompt().Text("Hello."));
            Print(Stopwatch.GetElapsedTime(start).TotalSeconds);
            return 0;
        }

        Answer(model, Picture(model));
        var after = Memory();
        var config = model.Config.Text;
        Print(2.0 * sizeof(float) * config.Layers * config.KeyValueHeads * config.HeadSize * PromptTokens, loaded.Own, loaded.Mapped, after.Own, after.Mapped);
        return 0;
    }

    private static void Print(params double[] figures) => Console.WriteLine(string.Join(' ', figures.Select(figure => figure.ToString("R", CultureInfo.InvariantCulture))));

    private static void Answer(LoadedModel model, Prompt prompt) => model.GenerateTokens(model.Prepare(prompt), new GenerationOptions { MaxTokens = 1 }).First();

    // A picture of 196 tokens, and as much text as there is room for.
    private static Prompt Picture(LoadedModel model)
    {
        const int Side = 14 * 28;
        var picture = new RgbImage(Side, Side, Enumerable.Range(0, Side * Side * 3).Select(i => (byte)(i * 7)).ToArray());
        var text = "a";
        while (model.Prepare(new Prompt().Text(text)).InputIds.Length < PromptTokens - 196)
        {
            text += " a";
        }

        return new Prompt().Image(picture).Text(text);
    }

    private static double[] Child(string what, string artifact)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [typeof(MemoryRun).Assembly.Location, "memory-of", what, artifact]) { RedirectStandardOutput = true })!;
        var line = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? [.. line.Split(' ').Select(figure => double.Parse(figure, CultureInfo.InvariantCulture))] : throw new InvalidOperationException($"The run '{what}' failed: {line}");
    }

    private static (double Own, double Mapped) Memory()
    {
        var status = File.ReadAllLines("/proc/self/status");
        double Of(string name) => 1024.0 * long.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        return (Of("RssAnon"), Of("RssFile"));
    }
}
