using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Facts;

namespace MASQuant.Quantization.Blocks;

/// <summary>A decoder block after quantization.</summary>
/// <param name="Layer">What the artifact stores of it.</param>
/// <param name="Facts">What the manifest says of it.</param>
/// <param name="Details">What reports say beside.</param>
internal sealed record QuantizedBlock(QuantizedLayer Layer, ManifestLayer Facts, BlockFacts Details)
{
    /// <summary>Joins the four input groups of a block.</summary>
    public static QuantizedBlock Of(int layer, IReadOnlyList<QuantizedGroup> groups)
    {
        var linears = groups.SelectMany(group => group.Linears).ToArray();
        return new QuantizedBlock(
            new QuantizedLayer
            {
                Index = layer,
                Linears = linears.ToDictionary(linear => linear.Facts.Name, linear => linear.Weight),
                Inputs = groups.ToDictionary(group => group.Group, group => group.Factors.Input),
            },
            new ManifestLayer { Index = layer, Linears = [.. linears.Select(linear => linear.Facts)] },
            new BlockFacts { Index = layer, Misalignment = [.. groups.SelectMany(group => group.Misalignment)], Spectra = [.. groups.SelectMany(group => group.Spectra)] });
    }
}

/// <summary>An input group after quantization.</summary>
/// <param name="Group">Which one.</param>
/// <param name="Factors">Its smoothing factors.</param>
/// <param name="Linears">Its layers, in order.</param>
internal sealed record QuantizedGroup(InputGroup Group, SmoothingFactors Factors, IReadOnlyList<(QuantizedWeight Weight, ManifestLinear Facts)> Linears)
{
    /// <summary>What one factor for all modalities would cost each of them.</summary>
    public IReadOnlyList<MisalignmentFacts> Misalignment { get; init; } = [];

    /// <summary>The singular values of the layers' residuals.</summary>
    public IReadOnlyList<SpectrumFacts> Spectra { get; init; } = [];
}
