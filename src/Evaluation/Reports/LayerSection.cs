using System.Globalization;
using MASQuant.Evaluation.Markup;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Reports;

/// <summary>Every layer in a row: shape, scheme, bytes, ranks, effective ranks, SQNR.</summary>
public static class LayerSection
{
    /// <summary>What the columns mean.</summary>
    public const string Note = "Effective rank: of the residual that the patch approximates, plain/whitened. SQNR: dB, without → with the patch.";

    /// <summary>Writes the section, folded: there may be hundreds of rows.</summary>
    public static void Write(MarkupWriter html, Manifest manifest)
    {
        using (html.Element("details"))
        {
            html.Element("summary", string.Create(CultureInfo.InvariantCulture, $"{manifest.Layers.Sum(layer => layer.Linears.Count)} layers"));
            Table(manifest).WriteHtml(html, "Layers");
            html.Element("p", Note, ("class", "soft"));
        }
    }

    /// <summary>A row per layer.</summary>
    public static TextTable Table(Manifest manifest)
    {
        var modalities = manifest.Model.Modalities;
        ManifestLinear[] linears = [.. manifest.Layers.SelectMany(layer => layer.Linears)];
        var patched = modalities.Where(modality => linears.Any(linear => linear.Ranks.ContainsKey(modality) || linear.EffectiveRanks.ContainsKey(modality))).ToArray();
        var table = new TextTable(1,
        [
            "layer",
            .. modalities.Select(modality => $"SQNR {modality.ToLowerInvariant()}"),
            "scheme", "bytes",
            .. patched.Select(modality => $"rank {modality.ToLowerInvariant()}"),
            .. patched.Select(modality => $"eff. rank {modality.ToLowerInvariant()}"),
            "outputs × inputs",
        ]);
        foreach (var layer in manifest.Layers)
        {
            foreach (var linear in layer.Linears)
            {
                table.Add(
                [
                    FormattableString.Invariant($"{layer.Index}.{linear.Name}"),
                    .. modalities.Select(modality => linear.Sqnr.TryGetValue(modality, out var sqnr) ? $"{Figures.Fixed(sqnr.Before, 1)} → {Figures.Fixed(sqnr.After, 1)}" : "–"),
                    linear.Scheme,
                    Figures.Bytes(linear.Bytes),
                    .. patched.Select(modality => linear.Ranks.TryGetValue(modality, out var rank) ? rank.ToString(CultureInfo.InvariantCulture) : "–"),
                    .. patched.Select(modality => linear.EffectiveRanks.TryGetValue(modality, out var rank) ? $"{Figures.Fixed(rank.Plain, 1)}/{Figures.Fixed(rank.Whitened, 1)}" : "–"),
                    FormattableString.Invariant($"{linear.Outputs} × {linear.Inputs}"),
                ]);
            }
        }

        return table;
    }
}
