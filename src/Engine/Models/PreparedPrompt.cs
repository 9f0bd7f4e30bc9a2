using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Models;

/// <summary>A prompt as the decoder takes it: tokens, positions, embeddings with the towers' outputs in place.</summary>
public sealed record PreparedPrompt
{
    /// <summary>T token ids, placeholders expanded.</summary>
    public required int[] InputIds { get; init; }

    /// <summary>The M-RoPE positions of the T tokens.</summary>
    public required PositionIds PositionIds { get; init; }

    /// <summary>How many tokens, P, stand at its beginning whose keys and values are there already.</summary>
    public int Evaluated { get; init; }

    /// <summary>[T − P, H].</summary>
    public required Matrix InputEmbeddings { get; init; }

    /// <summary>What the vision tower has left for the decoder's first blocks, from token P on.</summary>
    public DeepstackRows Deepstack { get; init; } = DeepstackRows.None;

    /// <summary>The modality of the T tokens.</summary>
    public required ModalityMap Modalities { get; init; }

    /// <summary>Where the answer that the messages hold stands, its end token included; empty, at the end, when the model is to answer.</summary>
    public required Range AnswerRange { get; init; }
}
