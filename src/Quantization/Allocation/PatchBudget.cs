using MASQuant.Diagnostics;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Allocation;

/// <summary>Turns <see cref="QuantizationOptions.PatchBytes"/> into ranks.</summary>
internal static class PatchBudget
{
    // GPU tiles want multiples of 16; where the narrowest layer has fewer channels than this, 16 would be too large a share of them.
    private const int WideHidden = 1024;

    // What is smaller than this share of the noise is rounding.
    private const double Negligible = 1e-9;

    /// <summary>The options with the ranks that the budget gives, patch by patch. Ranks that the user gave stay.</summary>
    /// <param name="options">With a budget.</param>
    /// <param name="decoder">The decoder.</param>
    /// <param name="noise">Measured at the schemes of <paramref name="options"/>.</param>
    /// <exception cref="MASQuantException">MASQ0514: the ranks that the user gave need more bytes.</exception>
    public static QuantizationOptions Apply(QuantizationOptions options, DecoderDescription decoder, ModelNoise noise)
    {
        var step = decoder.Config.HiddenSize >= WideHidden ? 16 : 4;
        var free = new List<RankChoice>();
        var ranks = new List<(int Layer, string Linear, Modality Modality, int Rank)>();
        var bytes = options.PatchBytes!.Value;
        foreach (var group in noise.Groups)
        {
            foreach (var patch in group.Patches)
            {
                var linear = decoder.Blocks[group.Layer].Linears.First(linear => linear.Name == patch.Linear);
                if (options.LayerRanks.For(group.Layer, linear, patch.Modality) is not null)
                {
                    var given = options.RankFor(group.Layer, linear, patch.Modality);
                    ranks.Add((group.Layer, patch.Linear, patch.Modality, given));
                    bytes -= (long)given * (linear.Outputs + linear.Inputs) * sizeof(ushort);
                    continue;
                }

                free.Add(new RankChoice(group.Layer, linear, patch.Modality, Gains(noise, group, patch, options, step)));
            }
        }

        if (bytes < 0)
        {
            throw new MASQuantException(DiagnosticCodes.PatchBytesExceeded, null,
                FormattableString.Invariant($"LayerRanks alone takes {options.PatchBytes - bytes} bytes of patches; PatchBytes allows {options.PatchBytes}. Raise PatchBytes, or give smaller ranks."));
        }

        ranks.AddRange(free.Zip(RankAllocation.Allocate(free, step, bytes), (choice, rank) => (choice.Layer, choice.Linear.Name, choice.Modality, rank)));
        return options with { LayerRanks = LayerRanks.Of(ranks), PatchBytes = null };
    }

    // σ² as a share of the group's noise, times what that noise does to the model, times λ.
    private static double[] Gains(ModelNoise noise, GroupNoise group, PatchGain patch, QuantizationOptions options, int step)
    {
        var energy = group.Patches.Where(other => other.Modality == patch.Modality).Sum(other => other.Energy);
        var lambda = options.ModalityWeights.Count > 0 ? options.ModalityWeights[(int)patch.Modality] : 1; // Automatic ones come later, with the blocks.
        var weight = energy > 0 ? lambda * noise.Cost(group, patch.Modality) / energy : 0;
        return [.. patch.Squares.Chunk(step).TakeWhile(chunk => chunk.Length == step && chunk.Sum() > Negligible * patch.Energy).Select(chunk => weight * chunk.Sum())];
    }
}
