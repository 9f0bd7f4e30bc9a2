using System.Globalization;
using MASQuant.Artifacts;

namespace MASQuant.Cli;

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

        writer.WriteLine($"Options: {string.Join(", ", manifest.Options.Where(pair => pair.Value.Length > 0).Select(pair => $"{pair.Key} {pair.Value}"))}");
        writer.WriteLine();
        Table(manifest).Write(writer);
        writer.WriteLine();
        var quantized = manifest.Layers.Sum(layer => layer.Linears.Sum(linear => linear.Bytes));
        writer.WriteLine(manifest.ArtifactBytes > 0
            ? $"Quantized layers {Figures.Bytes(quantized)}, everything else {Figures.Bytes(manifest.ArtifactBytes - quantized)}, artifact {Figures.Bytes(manifest.ArtifactBytes)}."
            : $"Quantized layers {Figures.Bytes(quantized)}.");
        writer.WriteLine("Effective rank: of the residual that the patch approximates, plain/whitened. SQNR: dB, without → with the patch.");
    }

    private static TextTable Table(Manifest manifest)
    {
        var modalities = manifest.Model.Modalities;
        ManifestLinear[] linears = [.. manifest.Layers.SelectMany(layer => layer.Linears)];
        var patched = modalities.Where(modality => linears.Any(linear => linear.Ranks.ContainsKey(modality) || linear.EffectiveRanks.ContainsKey(modality))).ToArray();
        var table = new TextTable(1,
        [
            "layer", "outputs × inputs", "scheme", "bytes",
            .. patched.Select(modality => $"rank {modality.ToLowerInvariant()}"),
            .. patched.Select(modality => $"eff. rank {modality.ToLowerInvariant()}"),
            .. modalities.Select(modality => $"SQNR {modality.ToLowerInvariant()}"),
        ]);
        foreach (var layer in manifest.Layers)
        {
            foreach (var linear in layer.Linears)
            {
                table.Add(
                [
                    FormattableString.Invariant($"{layer.Index}.{linear.Name}"),
                    FormattableString.Invariant($"{linear.Outputs} × {linear.Inputs}"),
                    linear.Scheme,
                    Figures.Bytes(linear.Bytes),
                    .. patched.Select(modality => linear.Ranks.TryGetValue(modality, out var rank) ? rank.ToString(CultureInfo.InvariantCulture) : "–"),
                    .. patched.Select(modality => linear.EffectiveRanks.TryGetValue(modality, out var rank) ? $"{Figures.Fixed(rank.Plain, 1)}/{Figures.Fixed(rank.Whitened, 1)}" : "–"),
                    .. modalities.Select(modality => linear.Sqnr.TryGetValue(modality, out var sqnr) ? $"{Figures.Fixed(sqnr.Before, 1)} → {Figures.Fixed(sqnr.After, 1)}" : "–"),
                ]);
            }
        }

        return table;
    }
}
