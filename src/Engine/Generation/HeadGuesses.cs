using System.Runtime.InteropServices;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>Guesses tokens with the model's own head, for a session's one sequence. Its memory keeps up with the sequence while that is alone in its steps. A step allocates nothing but room for keys and values.</summary>
/// <param name="decoder">Whose tokens are guessed.</param>
/// <param name="head">Guesses them.</param>
/// <param name="workspace">Scratch memory of the decoder's blocks.</param>
/// <param name="rotary">Is set anew for every pass.</param>
internal sealed class HeadGuesses(Decoder decoder, GuessHead head, DecoderWorkspace workspace, RotaryTable rotary) : IGuesser
{
    private readonly RowBuffer _embeddings = new(decoder.Config.HiddenSize);
    private readonly RowBuffer _hidden = new(decoder.Config.HiddenSize);
    private readonly RowBuffer _joined = new(2 * decoder.Config.HiddenSize);
    private readonly RowBuffer _stream = new(decoder.Config.HiddenSize);
    private readonly List<int> _ids = [];
    private readonly List<int> _positions = [];
    private readonly List<int> _guess = [];

    /// <summary>How many tokens are guessed, by how often guesses have come true.</summary>
    public GuessRate Rate { get; } = new();

    /// <summary>Takes tokens of a prompt.</summary>
    /// <param name="cache">The sequence, which holds them.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="start">The first of the tokens.</param>
    /// <param name="output">[T, H], the last block's output of them.</param>
    public void Follow(KvCache cache, PreparedPrompt prompt, int start, Matrix output)
    {
        if (cache.Guesses is not { } memory || memory.Length != start)
        {
            return;
        }

        // What the last token before has left meets the first embedding here; the last row here waits for the token behind it.
        var (count, before) = (output.Rows, start > 0 ? 1 : 0);
        var rows = workspace.Normed(count);
        decoder.FinalNorm.Apply(output, rows);
        if (count - 1 + before is > 0 and var known)
        {
            var hidden = _hidden.Rows(known);
            if (before > 0)
            {
                memory.Row(0).CopyTo(hidden.Row(0));
            }

            rows.Span[..((count - 1) * rows.Columns)].CopyTo(hidden.Span[(before * rows.Columns)..]);
            prompt.InputEmbeddings.Span.Slice((start + 1 - before - prompt.Evaluated) * rows.Columns, known * rows.Columns).CopyTo(_embeddings.Rows(known).Span);
            rotary.Set(prompt.PositionIds, start - before, known);
            memory.Settle();
            Run(memory, known);
        }

        memory.Add([prompt.InputIds[start + count - 1]], rows.Row(count - 1));
    }

    /// <summary>Guesses what follows a token that has been chosen.</summary>
    /// <param name="cache">The sequence, which does not hold it.</param>
    /// <param name="token">The token.</param>
    /// <param name="most">The most tokens; 0: memory alone keeps up.</param>
    public ReadOnlySpan<int> Guess(KvCache cache, int token, int most)
    {
        _guess.Clear();
        if (cache.Guesses is not { } memory || memory.Length != cache.Length || memory.Waiting.Count == 0)
        {
            return [];
        }

        TakeWaiting(memory, token, cache.NextPosition);
        for (var i = 0; i < most; i++)
        {
            var output = _stream.Rows(_ids.Count).Row(_ids.Count - 1);
            _guess.Add(Sampler.Likeliest(head.Logits(output, _hidden.Rows(1), workspace)));
            if (i + 1 < most)
            {
                Run(memory, _guess[i], cache.NextPosition + i);
            }
        }

        memory.Block.Truncate(cache.Length);
        return CollectionsMarshal.AsSpan(_guess);
    }

    /// <summary>Makes a memory ready to be kept: one token waits at most.</summary>
    public void Settle(KvCache cache)
    {
        if (cache.Guesses is { Waiting.Count: > 1 } memory && memory.Length == cache.Length)
        {
            var token = memory.Waiting[^1];
            var row = memory.Row(memory.Waiting.Count - 1); // Stays in its place until it waits again.
            memory.Truncate(cache.Length - 1);
            TakeWaiting(memory, token, cache.NextPosition - 1);
            memory.Add([token], row);
        }
    }

    /// <inheritdoc/>
    public void Learn(int guessed, int right) => Rate.Learn(guessed, right);

    // Each token that waits meets the one behind it, the last one the token that follows them all, which stands at `position`.
    private void TakeWaiting(GuessMemory memory, int token, int position)
    {
        var count = memory.Waiting.Count;
        var hidden = _hidden.Rows(count);
        _ids.Clear();
        _positions.Clear();
        for (var i = 0; i < count; i++)
        {
            memory.Row(i).CopyTo(hidden.Row(i));
            _ids.Add(i + 1 < count ? memory.Waiting[i + 1] : token);
            _positions.Add(position - count + i);
        }

        memory.Settle();
        Run(memory);
    }

    private void Run(GuessMemory memory, int token, int position)
    {
        _ids.Clear();
        _ids.Add(token);
        _positions.Clear();
        _positions.Add(position);
        Run(memory);
    }

    private void Run(GuessMemory memory)
    {
        decoder.Embedding.Lookup(CollectionsMarshal.AsSpan(_ids), _embeddings.Rows(_ids.Count));
        rotary.Set(CollectionsMarshal.AsSpan(_positions));
        Run(memory, _ids.Count);
    }

    // Of the first rows of embeddings and hidden.
    private void Run(GuessMemory memory, int count)
        => head.Forward(_embeddings.Rows(count), _hidden.Rows(count), _joined.Rows(count), _stream.Rows(count), rotary, workspace, memory.Block);
}
