namespace MASQuant.Formats.Configuration;

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

    /// <summary>How the rotary frequencies are scaled for more positions than those of training; null: not at all.</summary>
    public YarnScaling? Yarn { get; init; }

    /// <summary>M-RoPE: how many frequency pairs follow the time, height and width position.</summary>
    public required IReadOnlyList<int> MropeSections { get; init; }

    /// <summary>Whether the head shares the embedding.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>Whether one place of the file says that the head shares the embedding, and another that it does not.</summary>
    public bool IsTieContradicted { get; init; }

    /// <summary>The longest sequence.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Of layers that carry a state in place of keys and values; null: there are none.</summary>
    public LinearAttentionConfig? LinearAttention { get; init; }

    /// <summary>Blocks of the head that guesses ahead; 0: there is none.</summary>
    public int GuessBlocks { get; init; }

    /// <summary>How many values of a head are rotated, its first; unless it is given, all.</summary>
    public int RotatedSize
    {
        get => field > 0 ? field : HeadSize;
        init;
    }

    /// <summary>The width of one head; unless it is given, all query heads are as wide as the stream.</summary>
    public int HeadSize
    {
        get => field > 0 ? field : HiddenSize / AttentionHeads;
        init;
    }
}
