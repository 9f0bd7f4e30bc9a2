using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Models;

/// <summary>The head that guesses ahead, with its weights. Immutable; threads share it.</summary>
/// <param name="EmbeddingNorm">Norms the embedding of the token that follows.</param>
/// <param name="HiddenNorm">Norms what a token has left.</param>
/// <param name="Join">One layer, [H, 2H].</param>
/// <param name="Block">The block behind it.</param>
/// <param name="FinalNorm">The norm before the head.</param>
/// <param name="Head">One layer, [V, H]: the decoder's head, or a copy at 4 bits.</param>
public sealed record GuessHead(Norm EmbeddingNorm, Norm HiddenNorm, ILinearGroup Join, TransformerBlock Block, Norm FinalNorm, ILinearGroup Head)
{
    private const int HeadBits = 4;

    /// <summary>Reads what an artifact holds to guess with; null where it holds nothing.</summary>
    /// <param name="source">Must outlive the result.</param>
    /// <param name="decoder">What the decoder is made of.</param>
    /// <param name="backend">Executes products of codes; null: the kernels that suit the processor.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static GuessHead? TryRead(ITensorSource source, DecoderDescription decoder, IGemmBackend? backend = null)
    {
        if (decoder.GuessHead is not { } description)
        {
            return null;
        }

        var coded = new CodedLinears(source, backend);
        return coded.TryReadHead(GuessHeadDescription.Head, decoder.Config.VocabularySize, decoder.Config.HiddenSize, HeadBits) is { } head ? Read(source, description, head, coded) : null;
    }

    /// <summary>Reads it around a head.</summary>
    /// <param name="source">Must outlive the result.</param>
    /// <param name="description">What it is made of.</param>
    /// <param name="head">One layer, [V, H].</param>
    /// <param name="coded">Reads what is at 8 bits; null: all is in full precision.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    internal static GuessHead Read(ITensorSource source, GuessHeadDescription description, ILinearGroup head, CodedLinears? coded = null) => new(
        Norm.Read(source, "", description.EmbeddingNorm),
        Norm.Read(source, "", description.HiddenNorm),
        coded?.TryRead(description.Join, GuessHeadDescription.Prefix) ?? DenseLinearGroup.Read(source, description.Join, GuessHeadDescription.Prefix),
        TransformerBlock.Read(source, description.Block, step => coded?.TryRead(step, description.Block.Prefix)),
        Norm.Read(source, "", description.FinalNorm),
        head);
}
