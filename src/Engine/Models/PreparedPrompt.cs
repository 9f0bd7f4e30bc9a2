using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Models;

/// <summary>A prompt as the decoder takes it: tokens, positions, embeddings with the towers' outputs in place.</summary>
public sealed record PreparedPrompt
{
    /// <summary>T token ids, placeholders expanded.</summary>
    public required int[] InputIds { get; init; }

    /// <summary>The M-RoPE positions of the T tokens.</summary>
    public required PositionIds PositionIds { get; init; }

    /// <summary>How many tokens, P, stand at its beginning that were evaluated before and are kept.</summary>
    public int Evaluated { get; init; }

    /// <summary>How many tokens at its beginning were another prompt's, so that later prompts may begin alike: states are kept behind these, and behind all. Null: none are kept.</summary>
    public int? SharedTokens { get; init; }

    /// <summary>[T − P, H].</summary>
    public required Matrix InputEmbeddings { get; init; }

    /// <summary>What the vision tower has left for the decoder's first blocks, from token P on.</summary>
    public DeepstackRows Deepstack { get; init; } = DeepstackRows.None;

    /// <summary>The modality of the T tokens.</summary>
    public required ModalityMap Modalities { get; init; }

    /// <summary>Where the answer that the messages hold stands, its end token included; empty, at the end, when the model is to answer.</summary>
    public required Range AnswerRange { get; init; }

    /// <summary>Whether it ends within a thought: the answer follows behind its end.</summary>
    public bool Thinks { get; init; }
}
