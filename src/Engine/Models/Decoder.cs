using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Models;

/// <summary>The language model: embedding, decoder blocks, final norm, head. Immutable; threads share it, each with its own workspace and cache.</summary>
/// <param name="Description">What it is made of.</param>
/// <param name="Embedding">Token id → [H].</param>
/// <param name="Blocks">The decoder blocks, in order.</param>
/// <param name="FinalNorm">The norm before the head.</param>
/// <param name="Head">One layer, [V, H].</param>
public sealed record Decoder(DecoderDescription Description, TokenEmbedding Embedding, IReadOnlyList<TransformerBlock> Blocks, Norm FinalNorm, ILinearGroup Head)
{
    /// <summary>The extents.</summary>
    public TextConfig Config => Description.Config;

    /// <summary>Guesses ahead; null: nothing was stored to guess with.</summary>
    public GuessHead? GuessHead { get; init; }

    /// <summary>Reads everything but the blocks' linear layers.</summary>
    /// <param name="source">Must outlive the result.</param>
    /// <param name="description">What it is made of.</param>
    /// <param name="block">Makes each block; called with 0, 1, ….</param>
    /// <param name="embedding">The embedding, if it has been read; null to read it.</param>
    /// <param name="backend">Executes the product of a head at 8 bits; null: the kernels that suit the processor.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static Decoder Read(ITensorSource source, DecoderDescription description, Func<int, TransformerBlock> block, TokenEmbedding? embedding = null, IGemmBackend? backend = null)
    {
        embedding ??= TokenEmbedding.Of(source, description);
        var (rows, columns) = (description.Config.VocabularySize, description.Config.HiddenSize);
        var head = new CodedLinears(source, backend).TryReadHead(description.Head, rows, columns)
            ?? new DenseLinearGroup((description.IsHeadTied ? embedding.ToHead(source, description) : source.ReadDense(description.Head, rows, columns), []));
        return new Decoder(description, embedding, [.. Enumerable.Range(0, description.Blocks.Count).Select(block)], Norm.Read(source, "", description.FinalNorm), head) { GuessHead = GuessHead.TryRead(source, description, backend) };
    }

    /// <summary>Runs all blocks on T tokens that follow those in <paramref name="cache"/>. When it is cancelled or fails, the cache is as before.</summary>
    /// <param name="hidden">The embeddings, [T, H]; the last block's output afterwards.</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <param name="cache">The tokens before these, to which these are added.</param>
    /// <param name="deepstack">What the vision tower has left for the first blocks; null: nothing.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public void Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, KvCache cache, DeepstackRows? deepstack = null, CancellationToken cancellationToken = default)
        => Forward(hidden, modalities, rotary, workspace, new ReadOnlySpan<KvCache>(in cache), deepstack, afterBlock: null, cancellationToken);

    /// <summary>Runs all blocks on T tokens of one sequence, or on one token of each of T sequences. When it is cancelled or fails, all caches are as before.</summary>
    /// <param name="hidden">The embeddings, [T, H]; the last block's output afterwards.</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <param name="caches">The tokens before these, to which these are added.</param>
    /// <param name="deepstack">What the vision tower has left for the first blocks; null: nothing.</param>
    /// <param name="afterBlock">Called after each block with the number of blocks passed and their output, [T, H], which the next one overwrites; null: nobody looks.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    public void Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, ReadOnlySpan<KvCache> caches, DeepstackRows? deepstack, Action<int, Matrix>? afterBlock, CancellationToken cancellationToken)
    {
        foreach (var cache in caches)
        {
            cache.RequireRoom(hidden.Rows / caches.Length);
            cache.Mark();
        }

        try
        {
            for (var layer = 0; layer < Blocks.Count; layer++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Blocks[layer].Forward(hidden, modalities, rotary, workspace, workspace.Caches(caches, layer), deepstack);
                afterBlock?.Invoke(layer + 1, hidden);
            }
        }
        catch
        {
            foreach (var cache in caches)
            {
                cache.Restore();
            }

            throw;
        }
    }

    /// <summary>The logits of T outputs of the last block.</summary>
    /// <param name="hidden">[T, H].</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <param name="logits">[T, V], overwritten.</param>
    public void Logits(Matrix hidden, DecoderWorkspace workspace, Matrix logits)
    {
        var normed = workspace.Normed(hidden.Rows);
        FinalNorm.Apply(hidden, normed);
        Head.Forward(normed, workspace.Text(hidden.Rows), [logits]);
    }
}
