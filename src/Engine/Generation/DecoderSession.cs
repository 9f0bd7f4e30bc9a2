using System.Runtime.InteropServices;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>Sequences in progress on the processor: a decoder with scratch memory and a cache for each sequence. Its public members run one sequence, the first row. A step allocates nothing but cache room. For one thread at a time.</summary>
/// <param name="decoder">The shared decoder.</param>
/// <param name="prefillTokens">How many prompt tokens are evaluated at once; changes memory and speed, not results.</param>
/// <param name="keyValues">How keys and values are kept.</param>
public sealed class DecoderSession(Decoder decoder, int prefillTokens = DecoderSession.DefaultPrefillTokens, KeyValueFormat keyValues = KeyValueFormat.Float32) : IDecoderSession
{
    /// <summary>Enough rows to keep a GEMM busy, few enough to bound the MLP's buffers.</summary>
    public const int DefaultPrefillTokens = 512;

    private readonly DecoderWorkspace _workspace = new(decoder.Config);
    private readonly RotaryTable _rotary = new(decoder.Description.Rotary);
    private readonly List<KvCache> _caches = [];
    private readonly Stack<KvCache> _spare = [];
    private readonly DraftedTokens _draft = new(); // of the first row, the only one then
    private readonly List<int> _ids = [];
    private readonly List<int> _positions = [];
    private PromptRun? _begun;
    private HeadGuesses? _own;

    /// <summary>The number of tokens seen.</summary>
    public int Length => _caches.Count == 0 ? 0 : _caches[0].Length;

    /// <summary>Evaluates a prompt.</summary>
    /// <returns>The logits after its last token, V values, valid until the next call.</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public ReadOnlySpan<float> Prefill(PreparedPrompt prompt, CancellationToken cancellationToken = default)
    {
        while (_caches.Count > 0)
        {
            ((IDecoderSession)this).End(_caches.Count - 1);
        }

        var run = Begin(prompt, null);
        Matrix hidden;
        do
        {
            hidden = Evaluate(run, prefillTokens, cancellationToken);
        }
        while (!run.IsDone);

        _caches.Add(run.Cache);
        return LogitsOfLast(hidden);
    }

    /// <summary>Evaluates a prompt and gives the logits after each of its tokens in <paramref name="rows"/>.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="rows">The tokens after which logits are wanted.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <returns>[number of rows, V].</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions. MASQ0924: memory is short.</exception>
    public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default) => WithinMemory(() =>
    {
        var run = Begin(prompt, null);
        var (first, count) = rows.GetOffsetAndLength(prompt.InputIds.Length);
        var logits = new Matrix(count, decoder.Config.VocabularySize);
        var wanted = new Matrix(count, decoder.Config.HiddenSize);
        while (!run.IsDone)
        {
            var start = run.Evaluated;
            var hidden = Evaluate(run, prefillTokens, cancellationToken);
            for (var t = Math.Max(0, first - start); t < hidden.Rows && start + t < first + count; t++)
            {
                hidden.Row(t).CopyTo(wanted.Row(start + t - first));
            }
        }

        _spare.Push(run.Cache);
        decoder.Logits(wanted, _workspace, logits);
        return logits;
    });

    /// <summary>Evaluates a prompt and gives the stream of its tokens after some of the blocks.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="after">After how many blocks, for each state: 0 for the embeddings; after all of them it is normed, as the head reads it.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <returns>[T, H] each, in the order of <paramref name="after"/>.</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions. MASQ0924: memory is short.</exception>
    public IReadOnlyList<Matrix> HiddenStates(PreparedPrompt prompt, IReadOnlyList<int> after, CancellationToken cancellationToken = default) => WithinMemory(() =>
    {
        var run = Begin(prompt, null);
        var states = new HiddenStates(prompt, after);
        while (!run.IsDone)
        {
            var start = run.Evaluated;
            Evaluate(run, prefillTokens, cancellationToken, (blocks, stream) => states.Add(blocks, start, stream));
        }

        _spare.Push(run.Cache);
        return states.Of(decoder);
    });

    /// <summary>Evaluates one more text token.</summary>
    /// <returns>The logits after it, V values, valid until the next call.</returns>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public ReadOnlySpan<float> Step(int id, CancellationToken cancellationToken = default)
    {
        if (_caches.Count == 0)
        {
            _caches.Add(EmptyCache());
        }

        _ids.Clear();
        _ids.Add(id);
        return Step(cancellationToken).Row(0);
    }

    void IDecoderSession.Begin(PreparedPrompt prompt, IKeptTokens? kept) => WithinMemory(() => _begun = Begin(prompt, (KeptTokens?)kept));

    bool IDecoderSession.Advance(Sequence sequence, int most, CancellationToken cancellationToken) => WithinMemory(() =>
    {
        var run = _begun ?? throw new InvalidOperationException("No prompt has been begun.");
        var hidden = Evaluate(run, most, cancellationToken);
        if (sequence.Lookup is not null && _caches.Count == 0)
        {
            Own?.Follow(run.Cache, run.Prompt, run.Evaluated - hidden.Rows, hidden);
        }

        if (run.IsDone)
        {
            EndDraft(goesOn: false);
            sequence.Add(sequence.Sampler.Next(LogitsOfLast(hidden)));
            _caches.Add(run.Cache);
            _begun = null;
        }

        return run.IsDone;
    });

    bool IDecoderSession.HasRoom(int row) => _caches[row].Length - (row == 0 ? _draft.Open : 0) < decoder.Config.MaxPositions;

    void IDecoderSession.Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken)
    {
        if (sequences.Count == 1 && sequences[0].Lookup is { } lookup)
        {
            cancellationToken.ThrowIfCancellationRequested();
            StepAhead(sequences[0], lookup, cancellationToken);
            return;
        }

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

    // One token, and those that are guessed to follow, in one pass. Each guess that comes true has its logits already.
    private void StepAhead(Sequence sequence, PromptLookup lookup, CancellationToken cancellationToken)
    {
        if (_draft.TryTake(sequence.Token, out var known))
        {
            sequence.CountDrafted();
            sequence.Choose(known);
            return;
        }

        EndDraft(goesOn: true);
        var most = Math.Min(sequence.Left, decoder.Config.MaxPositions - _caches[0].Length) - 1;
        var guess = lookup.Guess(most);
        IGuesser guesser = lookup;
        if (Own is { } head && head.Guess(_caches[0], sequence.Token, guess.IsEmpty ? Math.Min(Math.Min(most, lookup.Most), head.Rate.Next()) : 0) is { IsEmpty: false } own)
        {
            guess = own;
            guesser = head;
        }

        _ids.Clear();
        _ids.Add(sequence.Token);
        _ids.AddRange(guess);
        var logits = Run(_ids.Count, cancellationToken);

        // What the logits were made of lies there yet.
        _caches[0].Guesses?.Follow(_caches[0].Length - _ids.Count, CollectionsMarshal.AsSpan(_ids), _workspace.Normed(_ids.Count));
        _draft.Begin(guess, logits, guesser);
        sequence.Choose(logits.Row(0));
    }

    // The cache forgets what has not come true.
    private void EndDraft(bool goesOn)
    {
        if (_draft.End(goesOn) is > 0 and var wrong)
        {
            _caches[0].Truncate(_caches[0].Length - wrong);
            _caches[0].NextPosition -= wrong;
        }
    }

    // The cache serves a sequence to come.
    void IDecoderSession.End(int row) => _spare.Push(RemoveRow(row));

    IKeptTokens? IDecoderSession.Keep(int row) => new KeptTokens(RemoveRow(row));

    // Its memory is the host's.
    void IDisposable.Dispose()
    {
    }

    // What the prompt has taken is given back: the others go on.
    private T WithinMemory<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (OutOfMemoryException error)
        {
            _begun = null;
            _spare.Clear();
            throw PromptBorder.MemoryExhausted(error);
        }
    }

    private HeadGuesses? Own => decoder.GuessHead is { } head ? _own ??= new HeadGuesses(decoder, head, _workspace, _rotary) : null;

    private KvCache RemoveRow(int row)
    {
        if (row == 0)
        {
            EndDraft(goesOn: false);
        }

        var cache = _caches[row];
        Own?.Settle(cache);
        _caches[row] = _caches[^1];
        _caches.RemoveAt(_caches.Count - 1);
        return cache;
    }

    private KvCache EmptyCache()
    {
        if (!_spare.TryPop(out var cache))
        {
            return new KvCache(decoder.Config, keyValues, guesses: decoder.GuessHead is not null);
        }

        cache.KeepsPasses = false;
        cache.Truncate(0);
        return cache;
    }

    private PromptRun Begin(PreparedPrompt prompt, KeptTokens? kept)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.InputIds.Length - prompt.Evaluated, nameof(prompt));
        if (_begun is { } given)
        {
            _spare.Push(given.Cache);
            _begun = null;
        }

        var cache = EmptyCache();
        if (prompt.Evaluated > 0)
        {
            cache.CopyFrom(kept?.Cache ?? throw new ArgumentNullException(nameof(kept)), prompt.Evaluated);
        }

        cache.RequireRoom(prompt.InputIds.Length - prompt.Evaluated);
        return new PromptRun(prompt, cache);
    }

    private ReadOnlySpan<float> LogitsOfLast(Matrix outputs)
    {
        var hidden = _workspace.Hidden(1);
        outputs.Row(outputs.Rows - 1).CopyTo(hidden.Row(0));
        var logits = _workspace.Logits(1);
        decoder.Logits(hidden, _workspace, logits);
        return logits.Row(0);
    }

    /// <summary>Evaluates one token of each row.</summary>
    private Matrix Step(CancellationToken cancellationToken) => Run(1, cancellationToken);

    /// <summary>Evaluates so many tokens of each row; more than one where there is one row.</summary>
    private Matrix Run(int tokens, CancellationToken cancellationToken)
    {
        var rows = _ids.Count;
        var (hidden, logits) = (_workspace.Hidden(rows), _workspace.Logits(rows));
        var caches = CollectionsMarshal.AsSpan(_caches);
        _positions.Clear();
        foreach (var cache in caches)
        {
            cache.KeepsPasses = tokens > 1; // What is guessed may be wrong.
            for (var token = 0; token < tokens; token++)
            {
                _positions.Add(cache.NextPosition + token);
            }
        }

        decoder.Embedding.Lookup(CollectionsMarshal.AsSpan(_ids), hidden);
        _rotary.Set(CollectionsMarshal.AsSpan(_positions));
        decoder.Forward(hidden, _workspace.Text(rows), _rotary, _workspace, caches, deepstack: null, afterBlock: null, cancellationToken);
        foreach (var cache in caches)
        {
            cache.NextPosition += tokens;
        }

        decoder.Logits(hidden, _workspace, logits);
        return logits;
    }

    /// <summary>Runs further tokens of a prompt; gives the last block's output of them.</summary>
    private Matrix Evaluate(PromptRun run, int most, CancellationToken cancellationToken, Action<int, Matrix>? afterBlock = null)
    {
        var (prompt, start) = (run.Prompt, run.Evaluated);
        var count = Math.Min(Math.Min(most, prefillTokens), run.NextStop - start);
        var hidden = new Matrix(count, decoder.Config.HiddenSize);
        prompt.InputEmbeddings.Span.Slice((start - prompt.Evaluated) * hidden.Columns, count * hidden.Columns).CopyTo(hidden.Span);
        _rotary.Set(prompt.PositionIds, start, count);
        var modalities = new ModalityMap(prompt.Modalities.Tokens.Slice(start, count));
        decoder.Forward(hidden, modalities, _rotary, _workspace, [run.Cache], prompt.Deepstack.From(run.Seen), afterBlock, cancellationToken);
        run.Add(modalities);
        if (run.Evaluated == prompt.SharedTokens || (run.IsDone && prompt.SharedTokens is not null))
        {
            run.Cache.KeepStates();
        }

        return hidden;
    }

    private sealed record KeptTokens(KvCache Cache) : IKeptTokens
    {
        public int Length => Cache.Length;

        public long Bytes => Cache.Bytes;

        public int Usable(int shared) => Cache.Usable(shared);
    }

    /// <summary>A prompt under evaluation.</summary>
    private sealed class PromptRun(PreparedPrompt prompt, KvCache cache)
    {
        public PreparedPrompt Prompt => prompt;

        public KvCache Cache => cache;

        /// <summary>Its tokens that the cache holds.</summary>
        public int Evaluated { get; private set; } = prompt.Evaluated;

        /// <summary>Those of vision among the tokens evaluated here.</summary>
        public int Seen { get; private set; }

        public bool IsDone => Evaluated == prompt.InputIds.Length;

        /// <summary>The tokens behind which a pass ends.</summary>
        public int NextStop => prompt.SharedTokens is { } shared && shared > Evaluated ? shared : prompt.InputIds.Length;

        public void Add(ModalityMap modalities)
        {
            Evaluated += modalities.Count;
            Seen += modalities.CountOf(Modality.Vision);
            cache.NextPosition = prompt.PositionIds.Next;
        }
    }
}
