using MASQuant.Artifacts;
using MASQuant.Quantization;

namespace MASQuant.Cli;

/// <summary>What a finished run tells: sizes, time, quality, and what to do next. The artifact's path is the answer.</summary>
internal static class QuantizationSummary
{
    public static void Write(CommandConsole console, QuantizationJob job, Manifest manifest, TimeSpan time)
    {
        var artifact = Path.Combine(job.OutputFolder, manifest.Artifact);
        var before = Directory.EnumerateFiles(job.ModelFolder, "*.safetensors").Sum(file => new FileInfo(file).Length);
        var error = console.Error;
        var ratio = Figures.Fixed((double)before / manifest.ArtifactBytes, 2);
        error.WriteLine($"{manifest.Name}, {SchemeMix.Of(manifest)}: {Figures.Bytes(before)} → {Figures.Bytes(manifest.ArtifactBytes)} ({ratio}× smaller) in {Figures.Duration(time)}.");
        error.WriteLine();
        SqnrTable(manifest).Write(error);
        error.WriteLine();
        error.WriteLine("Next:");
        error.WriteLine($"  masquant inspect {Quoted(artifact)}");
        error.WriteLine($"  masquant run {Quoted(artifact)} \"Your question\"");
        error.WriteLine($"  masquant evaluate {Quoted(job.ModelFolder)} {Quoted(artifact)} DATA.jsonl");
        console.Output.WriteLine(artifact);
    }

    private static TextTable SqnrTable(Manifest manifest)
    {
        var table = new TextTable(1, "SQNR of outputs, dB", "before patches", "after (median)", "lowest", "in layer");
        foreach (var modality in manifest.Model.Modalities)
        {
            var layers = manifest.Layers
                .SelectMany(layer => layer.Linears.Where(linear => linear.Sqnr.ContainsKey(modality)).Select(linear => (Name: $"{layer.Index}.{linear.Name}", Sqnr: linear.Sqnr[modality])))
                .ToArray();
            if (layers.Length > 0)
            {
                var lowest = layers.MinBy(layer => layer.Sqnr.After);
                var (before, after) = (Median(layers.Select(l => l.Sqnr.Before)), Median(layers.Select(l => l.Sqnr.After)));
                table.Add(modality, Figures.Fixed(before, 1), Figures.Fixed(after, 1), Figures.Fixed(lowest.Sqnr.After, 1), lowest.Name);
            }
        }

        return table;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static string Quoted(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
