using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>A language model: embedding, blocks, final norm, head. Described once for a family; read by the CPU, CUDA and differentiable executions, by the quantizer and by plans.</summary>
public sealed class DecoderDescription
{
    /// <summary>The extents.</summary>
    public required TextConfig Config { get; init; }

    /// <summary>The embedding's tensor, [V, H].</summary>
    public required string Embedding { get; init; }

    /// <summary>The blocks, in order.</summary>
    public required IReadOnlyList<BlockDescription> Blocks { get; init; }

    /// <summary>The norm before the head.</summary>
    public required NormDescription FinalNorm { get; init; }

    /// <summary>The head's tensor, [V, H]; the embedding's where they are one.</summary>
    public required string Head { get; init; }

    /// <summary>The head that guesses ahead; null: models of this layout have none.</summary>
    public GuessHeadDescription? GuessHead { get; init; }

    /// <summary>Whether the head is the embedding.</summary>
    public bool IsHeadTied => Head == Embedding;

    /// <summary>What rotates queries and keys.</summary>
    public required RotaryDescription Rotary { get; init; }
}
