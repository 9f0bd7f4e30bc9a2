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
        return coded.TryReadHead(GuessHeadDescription.Head, decoder.Config.VocabularySize, decoder.Config.HiddenSize, GuessHeadDescription.HeadScheme.WeightBits) is { } head ? Read(source, description, head, coded) : null;
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

    /// <summary>Joins T rows and runs the block on them.</summary>
    /// <param name="embeddings">[T, H], of the tokens that follow.</param>
    /// <param name="hidden">[T, H], what the tokens have left.</param>
    /// <param name="joined">[T, 2H], overwritten.</param>
    /// <param name="stream">[T, H], overwritten by the block's output.</param>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="workspace">Scratch memory of the decoder's blocks.</param>
    /// <param name="memory">Keys and values of the rows before, to which these are added.</param>
    public void Forward(Matrix embeddings, Matrix hidden, Matrix joined, Matrix stream, RotaryTable rotary, DecoderWorkspace workspace, LayerMemory memory)
    {
        var width = embeddings.Columns;
        for (var row = 0; row < joined.Rows; row++)
        {
            EmbeddingNorm.Apply(embeddings.Row(row), joined.Row(row)[..width]);
            HiddenNorm.Apply(hidden.Row(row), joined.Row(row)[width..]);
        }

        var text = workspace.Text(joined.Rows);
        Join.Forward(joined, text, [stream]);
        Block.Forward(stream, text, rotary, workspace, memory);
    }

    /// <summary>The logits of a row of the block's output.</summary>
    /// <param name="output">H values.</param>
    /// <param name="last">[1, H], overwritten by the row behind the last norm, which the guess after reads in place of what a token has left.</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <returns>V values, until the workspace is used again.</returns>
    public ReadOnlySpan<float> Logits(ReadOnlySpan<float> output, Matrix last, DecoderWorkspace workspace)
    {
        FinalNorm.Apply(output, last.Row(0));
        var logits = workspace.Logits(1);
        Head.Forward(last, workspace.Text(1), [logits]);
        return logits.Row(0);
    }
}
