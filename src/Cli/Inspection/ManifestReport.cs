using MASQuant.Formats.Artifacts;

namespace MASQuant.Cli.Inspection;

/// <summary>A quantized model for people.</summary>
internal static class ManifestReport
{
    public static void Write(Manifest manifest, TextWriter writer)
    {
        var model = manifest.Model;
        writer.WriteLine($"{manifest.Name}: {model.Family} from '{manifest.Source}', {SchemeMix.Of(manifest)}, written by masquant {manifest.ToolVersion}");
        writer.WriteLine(ModelFactsLine.Of(model, manifest.Layers.Count));
        if (manifest.Calibration is { } calibration)
        {
            var tokens = string.Join(", ", calibration.Tokens.Select(pair => FormattableString.Invariant($"{pair.Value} {pair.Key.ToLowerInvariant()}")));
            var hash = calibration.Sha256[..Math.Min(12, calibration.Sha256.Length)];
            writer.WriteLine(FormattableString.Invariant($"Calibrated on {calibration.Samples} samples of '{calibration.File}' ({tokens} tokens), SHA-256 {hash}…"));
        }

        if (manifest.Parts is { } parts)
        {
            writer.WriteLine($"Joined from {parts.Count} parts, blocks {string.Join(", ", parts)}: the SQNR below is measured within each, behind a full-precision prefix");
        }

        writer.WriteLine($"Options: {string.Join(", ", manifest.Options.Where(pair => pair.Value.Length > 0).Select(pair => $"{pair.Key} {pair.Value}"))}");
        writer.WriteLine();
        LayerSection.Table(manifest).Write(writer);
        writer.WriteLine();
        var quantized = manifest.Layers.Sum(layer => layer.Linears.Sum(linear => linear.Bytes));
        writer.WriteLine(manifest.ArtifactBytes > 0
            ? $"Quantized layers {Figures.Bytes(quantized)}, everything else {Figures.Bytes(manifest.ArtifactBytes - quantized)}, artifact {Figures.Bytes(manifest.ArtifactBytes)}."
            : $"Quantized layers {Figures.Bytes(quantized)}.");
        writer.WriteLine(LayerSection.Note);
    }
}
