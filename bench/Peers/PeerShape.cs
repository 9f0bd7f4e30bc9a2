using MASQuant.Formats.Configuration;

namespace MASQuant.Peers;

/// <summary>The extents of a published model's decoder.</summary>
internal sealed record PeerShape(string Name, int Layers, int Hidden, int Intermediate, int Heads, int KeyHeads)
{
    /// <summary>Qwen2.5's.</summary>
    public const int Vocabulary = 151_936;

    public static IReadOnlyList<PeerShape> All { get; } = [new("3B", 36, 2048, 11008, 16, 2), new("7B", 28, 3584, 18944, 28, 4)];

    public int HeadSize => Hidden / Heads;

    public static PeerShape? Find(string name) => All.FirstOrDefault(shape => shape.Name == name);

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
