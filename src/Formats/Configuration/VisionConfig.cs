namespace MASQuant.Formats.Configuration;

/// <summary>The vision tower's extents.</summary>
public sealed record VisionConfig
{
    /// <summary>The number of blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>The width of a patch's vector.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The width inside a block's MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>The width after the merger; the decoder's hidden size.</summary>
    public required int OutHiddenSize { get; init; }

    /// <summary>Pixels per patch side (14).</summary>
    public required int PatchSize { get; init; }

    /// <summary>Patches per merged side (2).</summary>
    public required int SpatialMergeSize { get; init; }

    /// <summary>Frames per patch (2).</summary>
    public required int TemporalPatchSize { get; init; }

    /// <summary>Pixels per attention window side; null: frames are not divided.</summary>
    public int? WindowSize { get; init; }

    /// <summary>The blocks that attend to the whole frame; all do where there are no windows.</summary>
    public IReadOnlyList<int> FullAttentionBlocks { get; init; } = [];

    /// <summary>Learned positions along a side of their square; 0: there are none.</summary>
    public int PositionSide { get; init; }

    /// <summary>The tower's blocks behind which rows for the decoder's first blocks are taken, in the order of those.</summary>
    public IReadOnlyList<int> DeepstackBlocks { get; init; } = [];

    /// <summary>Colour channels (3).</summary>
    public int Channels { get; init; } = 3;
}
