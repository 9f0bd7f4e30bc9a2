using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Output;

/// <summary>What a finished run tells: sizes, time, quality, and what to do next.</summary>
internal static class QuantizationSummary
{
    public static void Write(CommandConsole console, QuantizationJob job, Manifest manifest, TimeSpan time)
    {
        var artifact = Path.Combine(job.OutputFolder, manifest.Artifact);
        var before = ModelInputs.WeightBytes(job.ModelFolder);
        var error = console.Error;
        var ratio = Figures.Fixed((double)before / manifest.ArtifactBytes, 2);
        error.WriteLine($"{manifest.Name}, {SchemeMix.Of(manifest)}: {Figures.Bytes(before)} → {Figures.Bytes(manifest.ArtifactBytes)} ({ratio}× smaller) in {Figures.Duration(time)}.");
        error.WriteLine();
        SqnrSummary.Table(manifest).Write(error);
        error.WriteLine();
        error.WriteLine("Next:");
        error.WriteLine($"  masquant inspect {Quoted(artifact)}");
        error.WriteLine($"  masquant run {Quoted(artifact)} \"Your question\"");
        error.WriteLine($"  masquant evaluate {Quoted(job.ModelFolder)} {Quoted(artifact)} DATA.jsonl");
    }

    /// <summary>The answer to people and scripts, the artifact's path.</summary>
    public static void Answer(CommandConsole console, QuantizationJob job, Manifest manifest) => console.Output.WriteLine(Path.Combine(job.OutputFolder, manifest.Artifact));

    /// <summary>The answer to programs.</summary>
    public static void AnswerJson(CommandConsole console, QuantizationJob job, Manifest manifest) => JsonAnswer.Write(console, json =>
    {
        json.WriteString("name", manifest.Name);
        json.WriteString("artifact", Path.Combine(job.OutputFolder, manifest.Artifact));
        json.WriteString("manifest", Path.Combine(job.OutputFolder, manifest.Name + ModelFiles.ManifestSuffix));
        json.WriteString("scheme", manifest.Scheme);
        json.WriteNumber("bytes", manifest.ArtifactBytes);
        json.WriteNumber("originalBytes", ModelInputs.WeightBytes(job.ModelFolder));
    });

    private static string Quoted(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
