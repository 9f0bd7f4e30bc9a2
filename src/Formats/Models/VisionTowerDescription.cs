using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>A vision tower: patches → tokens of the decoder's width.</summary>
public sealed class VisionTowerDescription
{
    /// <summary>The extents.</summary>
    public required VisionConfig Config { get; init; }

    /// <summary>From the values of a patch to the stream.</summary>
    public required LinearDescription PatchEmbedding { get; init; }

    /// <summary>The base of the frequencies by which rows and columns rotate queries and keys.</summary>
    public required double RotaryTheta { get; init; }

    /// <summary>The blocks, in order.</summary>
    public required IReadOnlyList<BlockDescription> Blocks { get; init; }

    /// <summary>From the stream to one token for each merged block of patches.</summary>
    public required BlockDescription Merger { get; init; }
}
