using MASQuant.Layers;
using MASQuant.Models;
using MASQuant.Tensors;

namespace MASQuant.Generation;

/// <summary>One sequence in progress: a decoder with a cache and scratch memory of its own. A step allocates nothing but cache room. For one thread at a time.</summary>
/// <param name="decoder">The shared decoder.</param>
/// <param name="prefillTokens">How many prompt tokens are evaluated at once; changes memory and speed, not results.</param>
public sealed class DecoderSession(Decoder decoder, int prefillTokens = DecoderSession.DefaultPrefillTokens) : IDecoderSession
{
    /// <summary>Enough rows to keep a GEMM busy, few enough to bound the MLP's buffers.</summary>
    public const int DefaultPrefillTokens = 512;

    private readonly KvCache _cache = new(decoder.Config);
    private readonly DecoderWorkspace _workspace = new(decoder.Config);
    private readonly RotaryTable _rotary = new(decoder.Config);
    private readonly Matrix _token = new(1, decoder.Config.HiddenSize);
    private readonly Matrix _logits = new(1, decoder.Config.VocabularySize);
    private readonly int[] _id = new int[1];
    private int _nextPosition;

    /// <summary>The number of tokens seen.</summary>
    public int Length => _cache.Length;

    /// <summary>Evaluates a prompt.</summary>
    /// <returns>The logits after its last token, V values, valid until the next call.</returns>
    /// <exception cref="Diagnostics.MasQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public ReadOnlySpan<float> Prefill(PreparedPrompt prompt, CancellationToken cancellation = default)
    {
        Matrix? last = null;
        Evaluate(prompt, (hidden, _) => last = hidden, cancellation);
        last!.Row(last.Rows - 1).CopyTo(_token.Row(0));
        decoder.Logits(_token, _workspace, _logits);
        return _logits.Row(0);
    }

    /// <summary>Evaluates a prompt and gives the logits after each of its tokens in <paramref name="rows"/>.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="rows">The tokens after which logits are wanted.</param>
    /// <param name="cancellation">Obeyed between blocks.</param>
    /// <returns>[number of rows, V].</returns>
    /// <exception cref="Diagnostics.MasQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellation = default)
    {
        var (first, count) = rows.GetOffsetAndLength(prompt.InputIds.Length);
        var logits = new Matrix(count, decoder.Config.VocabularySize);
        var wanted = new Matrix(count, decoder.Config.HiddenSize);
        Evaluate(prompt, (hidden, start) =>
        {
            for (var t = Math.Max(0, first - start); t < hidden.Rows && start + t < first + count; t++)
            {
                hidden.Row(t).CopyTo(wanted.Row(start + t - first));
            }
        }, cancellation);
        decoder.Logits(wanted, _workspace, logits);
        return logits;
    }

    /// <summary>Evaluates one more text token.</summary>
    /// <returns>The logits after it, V values, valid until the next call.</returns>
    /// <exception cref="Diagnostics.MasQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public ReadOnlySpan<float> Step(int id, CancellationToken cancellation = default)
    {
        _id[0] = id;
        decoder.Embedding.Lookup(_id, _token);
        _rotary.Set(_nextPosition);
        decoder.Forward(_token, ModalityMap.Text(1), _rotary, _workspace, _cache, cancellation);
        _nextPosition++;
        decoder.Logits(_token, _workspace, _logits);
        return _logits.Row(0);
    }

    int IDecoderSession.Next(PreparedPrompt prompt, Sampler sampler, CancellationToken cancellation) => sampler.Next(Prefill(prompt, cancellation));

    int IDecoderSession.Next(int id, Sampler sampler, CancellationToken cancellation) => sampler.Next(Step(id, cancellation));

    // Its memory is the host's.
    void IDisposable.Dispose()
    {
    }

    /// <summary>Runs the prompt chunk by chunk; <paramref name="evaluated"/> gets the last block's output and the chunk's first token.</summary>
    private void Evaluate(PreparedPrompt prompt, Action<Matrix, int> evaluated, CancellationToken cancellation)
    {
        var tokens = prompt.InputIds.Length;
        ArgumentOutOfRangeException.ThrowIfZero(tokens, nameof(prompt));
        _cache.Truncate(0);
        _cache.RequireRoom(tokens);
        for (var start = 0; start < tokens; start += prefillTokens)
        {
            var count = Math.Min(prefillTokens, tokens - start);
            var hidden = new Matrix(count, decoder.Config.HiddenSize);
            prompt.InputEmbeddings.Span.Slice(start * hidden.Columns, count * hidden.Columns).CopyTo(hidden.Span);
            _rotary.Set(prompt.PositionIds, start, count);
            decoder.Forward(hidden, new ModalityMap(prompt.Modalities.Tokens.Slice(start, count)), _rotary, _workspace, _cache, cancellation);
            evaluated(hidden, start);
        }

        _nextPosition = prompt.PositionIds.Next;
    }
}
