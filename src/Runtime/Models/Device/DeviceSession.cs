using System.Runtime.InteropServices;
using MASQuant.Gemm.Cuda;
using MASQuant.Generation;
using MASQuant.Layers;
using MASQuant.Tensors;

namespace MASQuant.Models.Device;

/// <summary>One sequence in progress on a device. What a run of tokens queues is recorded once for each padded length and replayed: a step copies its token's id and position in, queues one graph, and reads the chosen id back.</summary>
internal sealed class DeviceSession : IDecoderSession
{
    /// <summary>The most sequences in progress.</summary>
    public const int MaxSequences = 1;

    private const int DecodeTokens = GemmKernels.DecodeTokens;
    private const int TileTokens = 128;
    private readonly DeviceDecoder _decoder;
    private readonly ICudaDevice _device;
    private readonly DeviceKvCache _cache;
    private readonly DeviceWorkspace _workspace;
    private readonly DeviceForward _forward;
    private readonly RotaryTable _rotary;
    private readonly Dictionary<(int Tokens, bool Text, bool Head, bool Drawn), IDeviceGraph> _graphs = [];
    private readonly int _prefillTokens;
    private readonly TokenDraw[] _draws = new TokenDraw[MaxSequences];
    private readonly byte[] _chosen = new byte[TokenKernels.ChoiceBytes];
    private byte[] _step = [];
    private int _recorded = -1;
    private int _nextPosition;

    /// <summary>An empty sequence.</summary>
    /// <param name="decoder">The shared decoder.</param>
    /// <param name="prefillTokens">How many prompt tokens are evaluated at once.</param>
    public DeviceSession(DeviceDecoder decoder, int prefillTokens)
    {
        (_decoder, _device, _prefillTokens) = (decoder, decoder.Device, prefillTokens);
        _cache = new DeviceKvCache(_device, decoder.Config);
        _workspace = new DeviceWorkspace(decoder);
        _forward = new DeviceForward(decoder, _workspace, _cache);
        _rotary = new RotaryTable(decoder.Config);
    }

    /// <inheritdoc/>
    public void Start(Sequence sequence, PreparedPrompt prompt, CancellationToken cancellation)
    {
        lock (_decoder.Gate)
        {
            Evaluate(prompt, prompt.InputIds.Length - 1, 1, sequence.Sampler, cancellation);
            sequence.Add(ReadChoice());
        }
    }

    /// <inheritdoc/>
    public void RequireRoom(int row) => KvCache.RequireRoom(_cache.Length + 1L, _decoder.Config.MaxPositions);

    /// <inheritdoc/>
    public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellation = default)
    {
        var (first, count) = rows.GetOffsetAndLength(prompt.InputIds.Length);
        var logits = new Matrix(count, _decoder.Config.VocabularySize);
        lock (_decoder.Gate)
        {
            _workspace.ReserveRows(Math.Max(1, count));
            Evaluate(prompt, first, count, null, cancellation);
            if (count > 0)
            {
                _workspace.ReserveRows(count);
                _forward.Head(count);
                _device.Read(_workspace.Logits, MemoryMarshal.AsBytes(logits.Span));
            }

            return logits;
        }
    }

    /// <inheritdoc/>
    public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var id = sequences[0].Token;
        _decoder.Vocabulary?.RequireRow(id);
        _rotary.Set(_nextPosition);
        lock (_decoder.Gate)
        {
            Reserve(1, 1);
            StartStep(1, 1, firstRow: 0)[0] = id;
            var draws = Draws(sequences[0].Sampler);
            WriteStep(1, draws);
            Graph(1, text: true, head: true, !draws.IsEmpty).Launch();
            _cache.Length++;
            _nextPosition++;
            sequences[0].Add(ReadChoice());
        }
    }

    /// <inheritdoc/>
    public void End(int row)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_decoder.Gate)
        {
            Forget();
            _workspace.Dispose();
            _cache.Dispose();
        }
    }

    /// <summary>Runs the prompt chunk by chunk and takes <paramref name="count"/> rows from <paramref name="first"/> on; with a sampler the last row's logits are computed, and the choice made, in the last chunk's graph.</summary>
    private void Evaluate(PreparedPrompt prompt, int first, int count, Sampler? sampler, CancellationToken cancellation)
    {
        var tokens = prompt.InputIds.Length;
        ArgumentOutOfRangeException.ThrowIfZero(tokens, nameof(prompt));
        _cache.Length = 0;
        _ = _cache.Reserve(tokens, Pad(tokens) - tokens) && Forget();
        for (var start = 0; start < tokens; start += _prefillTokens)
        {
            cancellation.ThrowIfCancellationRequested();
            var chunk = Math.Min(_prefillTokens, tokens - start);
            var (from, to) = (Math.Max(first, start), Math.Min(first + count, start + chunk));
            var withHead = sampler is not null && start + chunk == tokens;
            var draws = withHead ? Draws(sampler!) : [];
            var text = WriteChunk(prompt, start, chunk, Math.Max(0, from - start), draws);
            Graph(Pad(chunk), text, withHead, !draws.IsEmpty).Launch();
            if (to > from && !withHead)
            {
                _forward.Take(to - from, from - first);
            }

            _cache.Length += chunk;
        }

        _nextPosition = prompt.PositionIds.Next;
    }

    /// <summary>Copies a chunk's input to the device: ids, and the rows of media; padding is zero, and text. Whether all of it is text.</summary>
    private bool WriteChunk(PreparedPrompt prompt, int start, int chunk, int firstRow, ReadOnlySpan<TokenDraw> draws)
    {
        var padded = Pad(chunk);
        var modalities = prompt.Modalities.Tokens.Slice(start, chunk);
        var text = modalities.IndexOfAnyExcept(Modality.Text) < 0;
        Reserve(chunk, padded, text ? 0 : padded);
        _rotary.Set(prompt.PositionIds, start, chunk);
        var sources = StartStep(chunk, padded, firstRow);
        sources[chunk..].Fill(TokenKernels.NoSource);
        for (var (token, media) = (0, 0); token < chunk; token++)
        {
            var isText = modalities[token] == Modality.Text;
            sources[token] = isText ? prompt.InputIds[start + token] : TokenKernels.Medium(media++);
            if (isText)
            {
                _decoder.Vocabulary?.RequireRow(sources[token]);
            }
        }

        WriteStep(padded, draws);
        if (!text)
        {
            WriteMedia(prompt.InputEmbeddings, start, modalities);
            _device.Clear(_workspace.Modalities, padded);
            _device.Write(_workspace.Modalities, MemoryMarshal.AsBytes(modalities));
        }

        return text;
    }

    /// <summary>Copies the rows of tokens that are not text, run by run, one behind the other.</summary>
    private void WriteMedia(Matrix embeddings, int start, ReadOnlySpan<Modality> modalities)
    {
        var width = embeddings.Columns;
        for (var (token, target) = (0, _workspace.Media); token < modalities.Length; token++)
        {
            var rest = modalities[token..];
            var count = rest.IndexOf(Modality.Text) is var end && end < 0 ? rest.Length : end;
            _device.Write(target, MemoryMarshal.AsBytes(embeddings.Span.Slice((start + token) * width, count * width)));
            target += (long)count * width * sizeof(float);
            token += count;
        }
    }

    /// <summary>Sets what a run reads from memory rather than from its launches, see <see cref="DeviceWorkspace.Step"/>; the sources of its rows are left to the caller.</summary>
    private Span<int> StartStep(int tokens, int padded, int firstRow)
    {
        var half = _decoder.Heads.Size / 2;
        if (_step.Length < _workspace.StepBytes(padded))
        {
            _step = new byte[_workspace.StepBytes(padded)];
        }

        var words = MemoryMarshal.Cast<byte, int>(_step.AsSpan());
        (words[0], words[DeviceWorkspace.CachedStart / sizeof(int)]) = (firstRow, _cache.Length);
        var angles = MemoryMarshal.Cast<byte, float>(_step.AsSpan(DeviceWorkspace.AnglesStart));
        for (var token = 0; token < tokens; token++)
        {
            _rotary.Cosines(token).CopyTo(angles[(token * half)..]);
            _rotary.Sines(token).CopyTo(angles[((padded + token) * half)..]);
        }

        return MemoryMarshal.Cast<byte, int>(_step.AsSpan(_workspace.SourcesStart(padded), padded * sizeof(int)));
    }

    /// <summary>How chance draws the next token; empty where the largest logit decides, whose graph is shorter.</summary>
    private ReadOnlySpan<TokenDraw> Draws(Sampler sampler)
    {
        _draws[0] = sampler.NextDraw();
        return sampler.IsGreedy ? [] : _draws.AsSpan(0, 1);
    }

    private void WriteStep(int padded, ReadOnlySpan<TokenDraw> draws)
    {
        var bytes = _workspace.SourcesStart(padded) + (padded * sizeof(int));
        if (!draws.IsEmpty)
        {
            var target = MemoryMarshal.Cast<byte, TokenDraw>(_step.AsSpan(_workspace.DrawsStart(padded)));
            draws.CopyTo(target);
            bytes = _workspace.DrawsStart(padded) + (draws.Length * TokenDraw.Bytes);
        }

        _device.Write(_workspace.Step, _step.AsSpan(0, bytes));
    }

    private void Reserve(int tokens, int padded, int media = 0)
    {
        _ = _cache.Reserve(tokens, padded - tokens) && Forget();
        _workspace.ReserveTokens(padded);
        _workspace.ReserveMedia(media);
        if (_recorded != _workspace.Generation)
        {
            Forget();
        }
    }

    /// <summary>The recorded work of a run of tokens, made when it is first asked for.</summary>
    private IDeviceGraph Graph(int tokens, bool text, bool head, bool drawn)
    {
        if (_graphs.TryGetValue((tokens, text, head, drawn), out var graph))
        {
            return graph;
        }

        var parts = tokens == 1 ? DecoderKernels.DecodeParts(_decoder.Heads, _cache.Capacity, _device.Multiprocessors) : 0;
        _workspace.ReserveRows(1);
        _workspace.ReserveProducts(tokens);
        _workspace.ReserveParts(parts);
        if (_recorded != _workspace.Generation)
        {
            Forget();
            _recorded = _workspace.Generation;
        }

        graph = _device.Record(() =>
        {
            _forward.Embed(tokens);
            _forward.Blocks(tokens, text, parts);
            if (head)
            {
                _forward.Take(1, 0);
                _forward.Head(1);
                _forward.Choose(1, drawn ? _workspace.Draws(tokens) : default);
            }
        });
        _graphs.Add((tokens, text, head, drawn), graph);
        return graph;
    }

    private int ReadChoice()
    {
        _device.Read(_workspace.Chosen, _chosen);
        Sampler.RequireFinite(MemoryMarshal.Read<float>(_chosen), _decoder.Config.VocabularySize);
        return MemoryMarshal.Read<int>(_chosen.AsSpan(sizeof(float)));
    }

    private bool Forget()
    {
        foreach (var graph in _graphs.Values)
        {
            graph.Dispose();
        }

        _graphs.Clear();
        return true;
    }

    /// <summary>The length under which a run is recorded: one token, a decode tile, then multiples of the prefill's tile.</summary>
    private static int Pad(int tokens) => tokens == 1 ? 1 : tokens <= DecodeTokens ? DecodeTokens : (tokens + TileTokens - 1) / TileTokens * TileTokens;
}
