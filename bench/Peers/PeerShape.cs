using MASQuant.Formats.Configuration;

namespace MASQuant.Peers;

/// <summary>The extents of a published model's decoder.</summary>
internal sealed record PeerShape(string Name, int Layers, int Hidden, int Intermediate, int Heads, int KeyHeads)
{
    /// <summary>Qwen2.5's.</summary>
    public const int Vocabulary = 151_936;

    public static IReadOnlyList<PeerShape> All { get; } = [new("3B", 36, 2048, 11008, 16, 2), new("7B", 28, 3584, 18944, 28, 4)];

    public int HeadSize => Hidden / Heads;

    /// <summary>Weights of the decoder's linear layers.</summary>
    public long BlockWeights => (long)Layers * Hidden * ((2 * Hidden) + (2 * KeyHeads * HeadSize) + (3 * Intermediate));

    /// <summary>Weights of the head.</summary>
    public long HeadWeights => (long)Vocabulary * Hidden;

    public static PeerShape? Find(string name) => All.FirstOrDefault(shape => shape.Name == name);

    /// <summary>The vision tower before it, that of Qwen2.5-VL.</summary>
    public VisionConfig ToTower() => new()
    {
        Depth = 32,
        HiddenSize = 1280,
        IntermediateSize = 3420,
        Heads = 16,
        OutHiddenSize = Hidden,
        PatchSize = 14,
        SpatialMergeSize = 2,
        TemporalPatchSize = 2,
        WindowSize = 112,
        FullAttentionBlocks = [7, 15, 23, 31],
    };

    /// <summary>As our decoder takes it.</summary>
    public TextConfig ToConfig() => new()
    {
        HiddenSize = Hidden,
        Layers = Layers,
        AttentionHeads = Heads,
        KeyValueHeads = KeyHeads,
        IntermediateSize = Intermediate,
        VocabularySize = Vocabulary,
        MaxPositions = 32768,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 1e6f,
        MropeSections = [16, 24, 24],
        TieWordEmbeddings = true,
    };
}
