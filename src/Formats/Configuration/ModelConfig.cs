namespace MASQuant.Formats.Configuration;

/// <summary>The supported model families.</summary>
public enum ModelFamily
{
    /// <summary><c>qwen2_5_vl</c>: text and vision.</summary>
    Qwen25VL,

    /// <summary><c>qwen2_5_omni</c> (its thinker): text, vision and audio.</summary>
    Qwen25Omni,
}

/// <summary>What <c>config.json</c> says of a model, whichever tool wrote it. Token ids without a default are required.</summary>
public sealed record ModelConfig
{
    /// <summary>The family, from <c>model_type</c>.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>The decoder.</summary>
    public required TextConfig Text { get; init; }

    /// <summary>The vision tower.</summary>
    public required VisionConfig Vision { get; init; }

    /// <summary>The audio tower, or null for a family without one.</summary>
    public AudioConfig? Audio { get; init; }

    /// <summary>The placeholder of one merged image patch.</summary>
    public required int ImageTokenId { get; init; }

    /// <summary>The placeholder of one merged video patch.</summary>
    public required int VideoTokenId { get; init; }

    /// <summary>The placeholder of one audio frame, or −1.</summary>
    public int AudioTokenId { get; init; } = -1;

    /// <summary>The token before an image or video.</summary>
    public required int VisionStartTokenId { get; init; }

    /// <summary>The token after an image or video.</summary>
    public required int VisionEndTokenId { get; init; }

    /// <summary>The token before an audio clip, or −1.</summary>
    public int AudioStartTokenId { get; init; } = -1;

    /// <summary>The token after an audio clip, or −1.</summary>
    public int AudioEndTokenId { get; init; } = -1;

    /// <summary>Omni: temporal positions per second of video (25).</summary>
    public int PositionIdPerSeconds { get; init; } = 25;

    /// <summary>Omni: seconds per interleaved chunk (2).</summary>
    public double SecondsPerChunk { get; init; } = 2;

    /// <summary>The modalities that the model takes, text first.</summary>
    public IReadOnlyList<Modality> Modalities => Audio is null ? [Modality.Text, Modality.Vision] : [Modality.Text, Modality.Vision, Modality.Audio];
}

/// <summary>The decoder's extents.</summary>
public sealed record TextConfig
{
    /// <summary>H, the width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The number of decoder blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>The width between gate/up and down.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Query heads.</summary>
    public required int AttentionHeads { get; init; }

    /// <summary>Key and value heads; divides <see cref="AttentionHeads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>ε of the RMS norms.</summary>
    public required float RmsNormEpsilon { get; init; }

    /// <summary>The base of the rotary frequencies.</summary>
    public required float RopeTheta { get; init; }

    /// <summary>M-RoPE: how many frequency pairs follow the time, height and width position.</summary>
    public required IReadOnlyList<int> MropeSections { get; init; }

    /// <summary>Whether the head shares the embedding.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>The longest sequence.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>The width of one head.</summary>
    public int HeadSize => HiddenSize / AttentionHeads;
}

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

    /// <summary>VL: temporal positions per second of video.</summary>
    public double TokensPerSecond { get; init; } = 4;
}

/// <summary>The audio tower's extents.</summary>
public sealed record AudioConfig
{
    /// <summary>The number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>The width of a frame's vector.</summary>
    public required int ModelSize { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>The width inside a layer's MLP.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Mel bins (128).</summary>
    public required int MelBins { get; init; }

    /// <summary>The width of an output token; the decoder's hidden size.</summary>
    public required int OutputSize { get; init; }

    /// <summary>n_window: half a window, in mel frames (100 → windows of 200 frames, 2 s).</summary>
    public required int HalfWindow { get; init; }

    /// <summary>Rows of the sinusoidal position table.</summary>
    public required int MaxSourcePositions { get; init; }
}
