using MASQuant.Artifacts;
using MASQuant.Gemm;
using MASQuant.Layers;
using MASQuant.Smoothing;

namespace MASQuant.Quantization;

/// <summary>A decoder block after quantization.</summary>
/// <param name="Layer">What the artifact stores of it.</param>
/// <param name="Facts">What the manifest says of it.</param>
internal sealed record QuantizedBlock(QuantizedLayer Layer, ManifestLayer Facts)
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
                InverseSmoothing = groups.ToDictionary(group => group.Group, group => group.Factors.Inverses.ToArray()),
            },
            new ManifestLayer { Index = layer, Linears = [.. linears.Select(linear => linear.Facts)] });
    }
}

/// <summary>An input group after quantization.</summary>
/// <param name="Group">Which one.</param>
/// <param name="Factors">Its smoothing factors.</param>
/// <param name="Linears">Its layers, in order.</param>
internal sealed record QuantizedGroup(InputGroup Group, SmoothingFactors Factors, IReadOnlyList<(QuantizedWeight Weight, ManifestLinear Facts)> Linears);
