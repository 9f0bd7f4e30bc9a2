namespace MASQuant.Formats.Models;

/// <summary>
/// A head that guesses the token after the next (multi-token prediction: DeepSeek-V3's report, 2024, section 2.2). What a token leaves behind the decoder's last norm, normed once more, and the embedding of the token that follows it,
/// normed, are joined to a row, which passes one block with keys and values of its own and a last norm; its logits are the model's head's of that. A guess beyond the first reads the row before it in place of the decoder's.
/// </summary>
public sealed class GuessHeadDescription
{
    /// <summary>The prefix of its tensors' names.</summary>
    public const string Prefix = "mtp.";

    /// <summary>The copy of the model's head that guesses are made with, [V, H], which an artifact holds at 4 bits.</summary>
    public const string Head = Prefix + "head.weight";

    /// <summary>The bits of <see cref="Head"/>, and of the tokens that meet it.</summary>
    public static QuantizationScheme HeadScheme => QuantizationScheme.W4A8;

    /// <summary>Norms the embedding of the token that follows.</summary>
    public required NormDescription EmbeddingNorm { get; init; }

    /// <summary>Norms what the token has left.</summary>
    public required NormDescription HiddenNorm { get; init; }

    /// <summary>One layer [H, 2H]: the embedding's part first.</summary>
    public required ProjectStep Join { get; init; }

    /// <summary>The block; its positions are those of the tokens that have left something.</summary>
    public required BlockDescription Block { get; init; }

    /// <summary>The norm before the head.</summary>
    public required NormDescription FinalNorm { get; init; }

    /// <summary>The steps with linear layers, each with what precedes the names of its layers.</summary>
    public IEnumerable<(ProjectStep Step, string Prefix)> Projections => Block.Projections.Select(step => (step, Block.Prefix)).Prepend((Join, Prefix));
}
