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

    /// <summary>Pixels per attention window side.</summary>
    public required int WindowSize { get; init; }

    /// <summary>The blocks that attend to the whole frame.</summary>
    public required IReadOnlyList<int> FullAttentionBlocks { get; init; }

    /// <summary>Colour channels (3).</summary>
    public int Channels { get; init; } = 3;
}
