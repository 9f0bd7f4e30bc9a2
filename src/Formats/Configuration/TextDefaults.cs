namespace MASQuant.Formats.Configuration;

/// <summary>What holds of a decoder where <c>config.json</c> says nothing, as far as families differ in it.</summary>
/// <param name="HiddenSize">H.</param>
/// <param name="Layers">Decoder blocks.</param>
/// <param name="IntermediateSize">The width between gate/up and down.</param>
/// <param name="AttentionHeads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="RmsNormEpsilon">ε of the RMS norms.</param>
public sealed record TextDefaults(int HiddenSize, int Layers, int IntermediateSize, int AttentionHeads, int KeyValueHeads, double RmsNormEpsilon)
{
    /// <summary>The width of a head, which <c>head_dim</c> may change; null: that of the stream divided by the heads, and no other.</summary>
    public int? HeadSize { get; init; }

    /// <summary>V.</summary>
    public int VocabularySize { get; init; } = 152064;

    /// <summary>θ.</summary>
    public double RopeTheta { get; init; } = 1_000_000;

    /// <summary>The share of a head that is rotated, which <c>partial_rotary_factor</c> may change; null: all of it, always.</summary>
    public double? RotatedShare { get; init; }

    /// <summary>The kinds of <c>layer_types</c>.</summary>
    public IReadOnlyList<string> LayerTypes { get; init; } = ["full_attention"];

    /// <summary>How many frequency pairs follow the time, height and width position; these fit heads of 128.</summary>
    public IReadOnlyList<int> MropeSections { get; init; } = [16, 24, 24];

    /// <summary>Whether these take turns.</summary>
    public bool InterleavesMrope { get; init; }

    /// <summary>The longest sequence.</summary>
    public int MaxPositions { get; init; } = 32768;
}
