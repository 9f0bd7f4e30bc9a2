using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Compensation;

/// <summary>An input group's stored weights, the patches that were fitted to them, and the errors that both were fitted to.</summary>
/// <param name="Codes">Q_w(s_b⊙W) of each layer.</param>
/// <param name="Patches">The patches of each layer.</param>
/// <param name="Residuals">The output errors of each layer without patches, indexed by <see cref="Modality"/>; null where the modality has no tokens.</param>
internal sealed record GroupFit(WeightCodes[] Codes, LayerPatches[] Patches, OutputResidual?[][] Residuals)
{
    /// <summary>This fit with the layers of <paramref name="other"/> where <paramref name="takes"/> says so.</summary>
    public GroupFit Take(GroupFit other, Func<int, bool> takes)
    {
        var from = Codes.Select((_, i) => takes(i) ? other : this).ToArray();
        return new GroupFit(
            [.. from.Select((fit, i) => fit.Codes[i])], [.. from.Select((fit, i) => fit.Patches[i])], [.. from.Select((fit, i) => fit.Residuals[i])]);
    }

    /// <summary>The SQNR of a layer's output before and after compensation, by the name of each modality that has tokens; the signal is the full-precision model's output.</summary>
    public SortedDictionary<string, ManifestSqnr> Sqnr(int layer)
    {
        var sqnr = new SortedDictionary<string, ManifestSqnr>(StringComparer.Ordinal);
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (Residuals[layer][(int)modality] is { } residual)
            {
                sqnr[modality.ToString()] = new ManifestSqnr(
                    Numerics.Sqnr.Decibels(residual.Signal, residual.Energy), Numerics.Sqnr.Decibels(residual.Signal, Patches[layer].Noise[(int)modality]));
            }
        }

        return sqnr;
    }
}
