using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>A vision tower: patches → tokens of the decoder's width.</summary>
public sealed class VisionTowerDescription
{
    /// <summary>The extents.</summary>
    public required VisionConfig Config { get; init; }

    /// <summary>From the values of a patch to the stream.</summary>
    public required LinearDescription PatchEmbedding { get; init; }

    /// <summary>Learned positions that are added to the embedded patches; null: there are none.</summary>
    public PositionTable? Positions { get; init; }

    /// <summary>The base of the frequencies by which rows and columns rotate queries and keys.</summary>
    public required double RotaryTheta { get; init; }

    /// <summary>The blocks, in order.</summary>
    public required IReadOnlyList<BlockDescription> Blocks { get; init; }

    /// <summary>From the stream to one token for each merged block of patches.</summary>
    public required BlockDescription Merger { get; init; }

    /// <summary>What the decoder's first blocks get besides, in their order.</summary>
    public IReadOnlyList<DeepstackMerger> Deepstack { get; init; } = [];

    /// <summary>The last merger and those of <see cref="Deepstack"/>.</summary>
    public IEnumerable<BlockDescription> Mergers => Deepstack.Select(level => level.Merger).Prepend(Merger);
}
