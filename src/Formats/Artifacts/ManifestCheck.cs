using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Artifacts;

/// <summary>What of a manifest its types do not say: no empty places in lists and maps, and numbers that readers can count with.</summary>
public static class ManifestCheck
{
    // Layers of as many bytes, as many as a manifest can hold, still add up within 64 bits.
    private const long MaxCount = 1L << 40;

    private static readonly string[] ModalityNames = Enum.GetNames<Modality>();
    private static readonly string[] GroupNames = Enum.GetNames<InputGroup>();

    /// <summary>The first problem, as a sentence; null: there is none.</summary>
    public static string? ProblemOf(Manifest manifest)
    {
        if (manifest.Artifact.Length > 0 && !CheckpointIndex.IsPlainFileName(manifest.Artifact))
        {
            return $"Its artifact '{manifest.Artifact}' is no file name in the manifest's own folder.";
        }

        var model = manifest.Model;
        int[] extents = [model.HiddenSize, model.IntermediateSize, model.AttentionHeads, model.KeyValueHeads, model.VocabularySize, model.MaxPositions];
        var counts = extents.All(extent => extent > 0) && manifest.Tokenizer.Tokens >= 0 && IsCount(manifest.ArtifactBytes);
        if (!counts || !QuantizationScheme.TryParse(manifest.Scheme, out _) || !model.Modalities.All(ModalityNames.Contains)
            || manifest.Options.Values.Any(value => value is null) || manifest.Parts?.Any(part => part is null) == true)
        {
            return "It gives the model an impossible extent, scheme, modality, option or part.";
        }

        if (manifest.Calibration is { } calibration && (calibration.Samples < 0 || calibration.Tokens.Any(tokens => !ModalityNames.Contains(tokens.Key) || !IsCount(tokens.Value))))
        {
            return "Its calibration has an impossible number of samples or tokens.";
        }

        return manifest.Layers.Select((layer, place) => ProblemOf(layer, place)).FirstOrDefault(problem => problem is not null);
    }

    /// <summary>The first problem of a block that stands at <paramref name="place"/>, as a sentence; null: there is none.</summary>
    public static string? ProblemOf(ManifestLayer? layer, int place)
    {
        if (layer is null || layer.Index != place)
        {
            return $"Entry {place} of its layers is not layer {place}.";
        }

        var wrong = layer.Linears.FirstOrDefault(linear => linear is null || !IsSound(linear));
        return wrong is null && !layer.Linears.Contains(null!) ? null : $"Layer {place} describes '{wrong?.Name}' with an impossible extent, group, scheme, rank or figure.";
    }

    private static bool IsSound(ManifestLinear linear)
        => linear is { Outputs: > 0, Inputs: > 0 } && IsCount(linear.Bytes)
            && QuantizationScheme.TryParse(linear.Scheme, out _) && GroupNames.Contains(linear.Group)
            && linear.Ranks.All(rank => rank.Value > 0 && ModalityNames.Contains(rank.Key))
            && linear.EffectiveRanks.All(rank => ModalityNames.Contains(rank.Key) && rank.Value is { } ranks && double.IsFinite(ranks.Plain) && double.IsFinite(ranks.Whitened))
            && linear.Sqnr.All(sqnr => ModalityNames.Contains(sqnr.Key) && sqnr.Value is { } figures && double.IsFinite(figures.Before) && double.IsFinite(figures.After));

    private static bool IsCount(long value) => value is >= 0 and <= MaxCount;
}
