using System.Runtime.InteropServices;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>Sequences in progress on the processor: a decoder with scratch memory and a cache for each sequence. Its public members run one sequence, the first row. A step allocates nothing but cache room. For one thread at a time.</summary>
/// <param name="decoder">The shared decoder.</param>
/// <param name="prefillTokens">How many prompt tokens are evaluated at once; changes memory and speed, not results.</param>
public sealed class DecoderSession(Decoder decoder, int prefillTokens = DecoderSession.DefaultPrefillTokens) : IDecoderSession
{
    /// <summary>Enough rows to keep a GEMM busy, few enough to bound the MLP's buffers.</summary>
    public const int DefaultPrefillTokens = 512;

    private readonly DecoderWorkspace _workspace = new(decoder.Config);
    private readonly RotaryTable _rotary = new(decoder.Description.Rotary);
    private readonly List<KvCache> _caches = [];
    private readonly List<int> _ids = [];
    private readonly List<int> _positions = [];
    private ModalityMap _text = ModalityMap.Text(1);
    private int _rows;

    /// <summary>The number of tokens seen.</summary>
    public int Length => _caches.Count == 0 ? 0 : _caches[0].Length;

    /// <summary>Evaluates a prompt.</summary>
    /// <returns>The logits after its last token, V values, valid until the next call.</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public ReadOnlySpan<float> Prefill(PreparedPrompt prompt, CancellationToken cancellationToken = default)
    {
        _rows = 0;
        return Prefill(prompt, AddRow(), cancellationToken);
    }

    /// <summary>Evaluates a prompt and gives the logits after each of its tokens in <paramref name="rows"/>.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="rows">The tokens after which logits are wanted.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <returns>[number of rows, V].</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default)
    {
        var (first, count) = rows.GetOffsetAndLength(prompt.InputIds.Length);
        var logits = new Matrix(count, decoder.Config.VocabularySize);
        var wanted = new Matrix(count, decoder.Config.HiddenSize);
        _rows = 0;
        Evaluate(prompt, AddRow(), (hidden, start) =>
        {
            for (var t = Math.Max(0, first - start); t < hidden.Rows && start + t < first + count; t++)
            {
                hidden.Row(t).CopyTo(wanted.Row(start + t - first));
            }
        }, cancellationToken);
        decoder.Logits(wanted, _workspace, logits);
        return logits;
    }

    /// <summary>Evaluates one more text token.</summary>
    /// <returns>The logits after it, V values, valid until the next call.</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public ReadOnlySpan<float> Step(int id, CancellationToken cancellationToken = default)
    {
        _ = _rows == 0 ? AddRow() : null;
        _ids.Clear();
        _ids.Add(id);
        return Step(cancellationToken).Row(0);
    }

    void IDecoderSession.Start(Sequence sequence, PreparedPrompt prompt, CancellationToken cancellationToken)
    {
        var cache = AddRow();
        try
        {
            sequence.Add(sequence.Sampler.Next(Prefill(prompt, cache, cancellationToken)));
        }
        catch (OutOfMemoryException error)
        {
            // What it has taken is given back: the others go on.
            _caches.RemoveRange(--_rows, _caches.Count - _rows);
            throw PromptBorder.MemoryExhausted(error);
        }
        catch
        {
            _rows--;
            throw;
        }
    }

    bool IDecoderSession.HasRoom(int row) => _caches[row].Length < decoder.Config.MaxPositions;

    void IDecoderSession.Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken)
    {
        _ids.Clear();
        for (var row = 0; row < sequences.Count; row++)
        {
            _ids.Add(sequences[row].Token);
        }

        var logits = Step(cancellationToken);
        for (var row = 0; row < sequences.Count; row++)
        {
            sequences[row].Choose(logits.Row(row));
        }
    }

    // The cache is kept for a sequence to come.
    void IDecoderSession.End(int row)
    {
        _rows--;
        (_caches[row], _caches[_rows]) = (_caches[_rows], _caches[row]);
    }

    // Its memory is the host's.
    void IDisposable.Dispose()
    {
    }

    private KvCache AddRow()
    {
        if (_caches.Count == _rows)
        {
            _caches.Add(new KvCache(decoder.Config));
        }

        return _caches[_rows++];
    }

    private ReadOnlySpan<float> Prefill(PreparedPrompt prompt, KvCache cache, CancellationToken cancellationToken)
    {
        Matrix? last = null;
        Evaluate(prompt, cache, (hidden, _) => last = hidden, cancellationToken);
        var hidden = _workspace.Hidden(1);
        last!.Row(last.Rows - 1).CopyTo(hidden.Row(0));
        var logits = _workspace.Logits(1);
        decoder.Logits(hidden, _workspace, logits);
        return logits.Row(0);
    }

    /// <summary>Evaluates one token of each row.</summary>
    private Matrix Step(CancellationToken cancellationToken)
    {
        var (hidden, logits) = (_workspace.Hidden(_rows), _workspace.Logits(_rows));
        var caches = CollectionsMarshal.AsSpan(_caches)[.._rows];
        _positions.Clear();
        foreach (var cache in caches)
        {
            _positions.Add(cache.NextPosition);
        }

        _text = _text.Count == _rows ? _text : ModalityMap.Text(_rows);
        decoder.Embedding.Lookup(CollectionsMarshal.AsSpan(_ids), hidden);
        _rotary.Set(CollectionsMarshal.AsSpan(_positions));
        decoder.Forward(hidden, _text, _rotary, _workspace, caches, deepstack: null, cancellationToken);
        foreach (var cache in caches)
        {
            cache.NextPosition++;
        }

        decoder.Logits(hidden, _workspace, logits);
        return logits;
    }

    /// <summary>Runs the prompt chunk by chunk; <paramref name="evaluated"/> gets the last block's output and the chunk's first token.</summary>
    private void Evaluate(PreparedPrompt prompt, KvCache cache, Action<Matrix, int> evaluated, CancellationToken cancellationToken)
    {
        var tokens = prompt.InputIds.Length;
        ArgumentOutOfRangeException.ThrowIfZero(tokens, nameof(prompt));
        cache.Truncate(0);
        cache.RequireRoom(tokens);
        var seen = 0;
        for (var start = 0; start < tokens; start += prefillTokens)
        {
            var count = Math.Min(prefillTokens, tokens - start);
            var hidden = new Matrix(count, decoder.Config.HiddenSize);
            prompt.InputEmbeddings.Span.Slice(start * hidden.Columns, count * hidden.Columns).CopyTo(hidden.Span);
            _rotary.Set(prompt.PositionIds, start, count);
            var modalities = new ModalityMap(prompt.Modalities.Tokens.Slice(start, count));
            decoder.Forward(hidden, modalities, _rotary, _workspace, cache, prompt.Deepstack.From(seen), cancellationToken);
            seen += modalities.CountOf(Modality.Vision);
            evaluated(hidden, start);
        }

        cache.NextPosition = prompt.PositionIds.Next;
    }
}
