using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Blocks;

/// <summary>What the manifest says of a quantized layer; the artifact's writer fills in the sizes.</summary>
internal static class LayerFacts
{
    /// <summary>Collects the facts.</summary>
    /// <param name="linear">The layer.</param>
    /// <param name="weight">What it has become.</param>
    /// <param name="effectiveRanks">Of the residuals, by modality name.</param>
    /// <param name="sqnr">Of the output, by modality name.</param>
    public static ManifestLinear Of(LinearWeight linear, QuantizedWeight weight, SortedDictionary<string, ManifestEffectiveRank> effectiveRanks, SortedDictionary<string, ManifestSqnr> sqnr)
    {
        var ranks = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (weight.Patches[(int)modality] is { } patch)
            {
                ranks[modality.ToString()] = patch.Rank;
            }
        }

        return new ManifestLinear
        {
            Name = linear.Linear.Name,
            Group = linear.Linear.Group.ToString(),
            Outputs = weight.Outputs,
            Inputs = weight.Inputs,
            Bias = weight.Bias.Length > 0,
            Scheme = weight.Scheme.ToString(),
            Ranks = ranks,
            EffectiveRanks = effectiveRanks,
            Sqnr = sqnr,
        };
    }
}
