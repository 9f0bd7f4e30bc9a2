using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Blocks;

/// <summary>What the manifest says of a block's layers; the artifact's writer fills in the sizes.</summary>
internal static class LayerFacts
{
    /// <summary>What a block will be by its options.</summary>
    public static ManifestLayer Planned(int layer, ModelConfig config, QuantizationOptions options) => new()
    {
        Index = layer,
        Linears = [.. config.Decoder().Blocks[layer].Linears.Select(linear => Of(linear, options.SchemeFor(layer, linear.Group),
            modality => config.Modalities.Contains(modality) ? options.RankFor(layer, linear, modality) : 0))],
    };

    /// <summary>What a layer has become.</summary>
    /// <param name="linear">The layer.</param>
    /// <param name="weight">Its stored weight.</param>
    /// <param name="effectiveRanks">Of the residuals, by modality name.</param>
    /// <param name="sqnr">Of the output, by modality name.</param>
    public static ManifestLinear Of(DecoderLinear linear, QuantizedWeight weight, SortedDictionary<string, ManifestEffectiveRank> effectiveRanks, SortedDictionary<string, ManifestSqnr> sqnr)
        => Of(linear, weight.Scheme, modality => weight.Patches[(int)modality]?.Rank ?? 0) with { Bias = weight.Bias.Length > 0, EffectiveRanks = effectiveRanks, Sqnr = sqnr };

    private static ManifestLinear Of(DecoderLinear linear, QuantizationScheme scheme, Func<Modality, int> rank) => new()
    {
        Name = linear.Name,
        Group = linear.Group.ToString(),
        Outputs = linear.Outputs,
        Inputs = linear.Inputs,
        Scheme = scheme.ToString(),
        Ranks = new SortedDictionary<string, int>(Enum.GetValues<Modality>().Where(modality => rank(modality) > 0).ToDictionary(modality => modality.ToString(), rank), StringComparer.Ordinal),
    };
}
