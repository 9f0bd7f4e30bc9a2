using System.Numerics;
using System.Runtime.InteropServices;
using MASQuant.Gemm.Cuda;
using MASQuant.Generation;
using MASQuant.Layers;
using MASQuant.Tensors;

namespace MASQuant.Models.Device;

/// <summary>Sequences in progress on a device. What a run queues is recorded once for each padded length, or number of rows, and replayed: a step copies its tokens' ids and positions in, queues one graph, and reads the chosen ids back.</summary>
internal sealed class DeviceSession : IDecoderSession
{
    private const int DecodeTokens = GemmKernels.DecodeTokens;
    private const int TileTokens = 128;
    private readonly DeviceDecoder _decoder;
    private readonly ICudaDevice _device;
    private readonly DeviceKvCache _promptCache;
    private readonly DeviceKvCache _cache;
    private readonly DeviceWorkspace _workspace;
    private readonly DeviceForward _promptForward;
    private readonly DeviceForward _forward;
    private readonly DeviceStep _step;
    private readonly RotaryTable _rotary;
    private readonly Dictionary<(int Rows, bool Text, bool Head, bool Drawn, bool Steps), IDeviceGraph> _graphs = [];
    private readonly int _prefillTokens;
    private readonly int[] _lengths;
    private readonly int[] _positions;
    private readonly byte[] _chosen;
    private int _recorded = -1;
    private int _rows;

    /// <summary>No sequences yet.</summary>
    /// <param name="decoder">The shared decoder.</param>
    /// <param name="prefillTokens">How many prompt tokens are evaluated at once.</param>
    /// <param name="sequences">The most sequences in progress, up to <see cref="DeviceDecoder.MaxSequences"/>. With several, prompts are evaluated apart from them and their keys and values copied, so that what is recorded for a prompt serves every row.</param>
    public DeviceSession(DeviceDecoder decoder, int prefillTokens, int sequences = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequences, decoder.MaxSequences);
        (_decoder, _device, _prefillTokens) = (decoder, decoder.Device, prefillTokens);
        _workspace = new DeviceWorkspace(decoder);
        _step = new DeviceStep(decoder, _workspace);
        _promptCache = new DeviceKvCache(_device, decoder.Config);
        _cache = sequences == 1 ? _promptCache : new DeviceKvCache(_device, decoder.Config);
        _promptForward = new DeviceForward(decoder, _workspace, _promptCache);
        _forward = new DeviceForward(decoder, _workspace, _cache);
        _rotary = new RotaryTable(decoder.Config);
        (_lengths, _positions, _chosen) = (new int[sequences], new int[sequences], new byte[sequences * TokenKernels.ChoiceBytes]);
    }

    /// <inheritdoc/>
    public void Start(Sequence sequence, PreparedPrompt prompt, CancellationToken cancellation)
    {
        lock (_decoder.Gate)
        {
            Evaluate(prompt, prompt.InputIds.Length - 1, 1, [sequence], cancellation);
            ReadChoices([sequence]);
            sequence.ThrowIfFailed();
            Keep(prompt);
        }
    }

    /// <inheritdoc/>
    public void RequireRoom(int row) => KvCache.RequireRoom(_lengths[row] + 1L, _decoder.Config.MaxPositions);

    /// <inheritdoc/>
    public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var rows = (int)BitOperations.RoundUpToPowerOf2((uint)_rows);
        _rotary.Set(_positions.AsSpan(0, _rows));
        lock (_decoder.Gate)
        {
            _ = _cache.Reserve(1, 0) && Forget(steps: true);
            Reserve(rows);
            _step.Start(rows, firstRow: 0, _rotary);
            _lengths.AsSpan(0, _rows).CopyTo(_step.Cached);
            for (var row = 0; row < _rows; row++)
            {
                _decoder.Vocabulary?.RequireRow(sequences[row].Token);
                _step.Sources[row] = sequences[row].Token;
            }

            var drawn = _step.Draw(sequences, rows);
            _step.Write();
            Graph(rows, text: true, head: true, drawn, steps: true).Launch();
            for (var row = 0; row < _rows; row++)
            {
                _lengths[row]++;
                _positions[row]++;
            }

            _cache.Length++;
            ReadChoices(sequences);
        }
    }

    /// <inheritdoc/>
    public void End(int row)
    {
        _rows--;
        lock (_decoder.Gate)
        {
            if (row < _rows)
            {
                _cache.Copy(_cache, _rows, row, _lengths[_rows]);
                (_lengths[row], _positions[row]) = (_lengths[_rows], _positions[_rows]);
            }
        }

        _cache.Length = _lengths.Take(_rows).DefaultIfEmpty().Max();
    }

    /// <inheritdoc/>
    public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellation = default)
    {
        var (first, count) = rows.GetOffsetAndLength(prompt.InputIds.Length);
        var logits = new Matrix(count, _decoder.Config.VocabularySize);
        lock (_decoder.Gate)
        {
            _workspace.ReserveRows(Math.Max(1, count));
            Evaluate(prompt, first, count, [], cancellation);
            if (count > 0)
            {
                _workspace.ReserveRows(count);
                _promptForward.Head(count);
                _device.Read(_workspace.Logits, MemoryMarshal.AsBytes(logits.Span));
            }

            return logits;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_decoder.Gate)
        {
            Forget();
            _workspace.Dispose();
            _promptCache.Dispose();
            if (_cache != _promptCache)
            {
                _cache.Dispose();
            }
        }
    }

    /// <summary>Runs the prompt chunk by chunk and takes <paramref name="count"/> rows from <paramref name="first"/> on; for a sequence the last row's logits are computed, and the choice made, in the last chunk's graph.</summary>
    private void Evaluate(PreparedPrompt prompt, int first, int count, Sequence[] chosen, CancellationToken cancellation)
    {
        var tokens = prompt.InputIds.Length;
        ArgumentOutOfRangeException.ThrowIfZero(tokens, nameof(prompt));
        _promptCache.Length = 0;
        _ = _promptCache.Reserve(tokens, Pad(tokens) - tokens) && Forget(steps: false);
        for (var start = 0; start < tokens; start += _prefillTokens)
        {
            cancellation.ThrowIfCancellationRequested();
            var chunk = Math.Min(_prefillTokens, tokens - start);
            var (from, to) = (Math.Max(first, start), Math.Min(first + count, start + chunk));
            var withHead = chosen.Length > 0 && start + chunk == tokens;
            var (text, drawn) = WriteChunk(prompt, start, chunk, Math.Max(0, from - start), withHead ? chosen : []);
            Graph(Pad(chunk), text, withHead, drawn, steps: false).Launch();
            if (to > from && !withHead)
            {
                _promptForward.Take(to - from, from - first);
            }

            _promptCache.Length += chunk;
        }
    }

    /// <summary>Copies a chunk's input to the device: ids, and the rows of media; padding is zero, and text. Whether all of it is text, and whether chance decides.</summary>
    private (bool Text, bool Drawn) WriteChunk(PreparedPrompt prompt, int start, int chunk, int firstRow, Sequence[] chosen)
    {
        var padded = Pad(chunk);
        var modalities = prompt.Modalities.Tokens.Slice(start, chunk);
        var text = modalities.IndexOfAnyExcept(Modality.Text) < 0;
        _ = _promptCache.Reserve(chunk, padded - chunk) && Forget(steps: false);
        Reserve(padded, text ? 0 : padded);
        _rotary.Set(prompt.PositionIds, start, chunk);
        _step.Start(padded, firstRow, _rotary);
        _step.Cached[0] = start;
        var sources = _step.Sources;
        for (var (token, media) = (0, 0); token < chunk; token++)
        {
            var isText = modalities[token] == Modality.Text;
            sources[token] = isText ? prompt.InputIds[start + token] : TokenKernels.Medium(media++);
            if (isText)
            {
                _decoder.Vocabulary?.RequireRow(sources[token]);
            }
        }

        var drawn = _step.Draw(chosen, chosen.Length);
        _step.Write();
        if (!text)
        {
            WriteMedia(prompt.InputEmbeddings, start, modalities);
            _device.Clear(_workspace.Modalities, padded);
            _device.Write(_workspace.Modalities, MemoryMarshal.AsBytes(modalities));
        }

        return (text, drawn);
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

    /// <summary>Makes the prompt that was evaluated the last row.</summary>
    private void Keep(PreparedPrompt prompt)
    {
        var tokens = _promptCache.Length;
        if (_cache != _promptCache)
        {
            // A step of three rows is one of four: the fourth writes behind no token of a sequence that does not exist.
            _ = _cache.ReserveSequences((int)BitOperations.RoundUpToPowerOf2((uint)_rows + 1)) | _cache.Reserve(Math.Max(0, tokens - _cache.Length), 0) && Forget(steps: true);
            _cache.Copy(_promptCache, 0, _rows, tokens);
            _cache.Length = Math.Max(_cache.Length, tokens);
        }

        (_lengths[_rows], _positions[_rows]) = (tokens, prompt.PositionIds.Next);
        _rows++;
    }

    private void Reserve(int rows, int media = 0)
    {
        _workspace.ReserveTokens(rows);
        _workspace.ReserveMedia(media);
        if (_recorded != _workspace.Generation)
        {
            Forget();
        }
    }

    /// <summary>The recorded work of a run of one sequence's tokens, or of a step of all rows, made when it is first asked for.</summary>
    private IDeviceGraph Graph(int rows, bool text, bool head, bool drawn, bool steps)
    {
        if (_graphs.TryGetValue((rows, text, head, drawn, steps), out var graph))
        {
            return graph;
        }

        var (cache, forward) = steps ? (_cache, _forward) : (_promptCache, _promptForward);
        var parts = steps || rows == 1 ? DecoderKernels.DecodeParts(_decoder.Heads, cache.Capacity, _device.Multiprocessors) : 0;
        var chosen = steps ? rows : 1;
        _workspace.ReserveRows(chosen);
        _workspace.ReserveProducts(rows);
        _workspace.ReserveParts(parts, chosen);
        if (_recorded != _workspace.Generation)
        {
            Forget();
            _recorded = _workspace.Generation;
        }

        graph = _device.Record(() =>
        {
            forward.Embed(rows);
            forward.Blocks(rows, text, parts);
            if (head)
            {
                forward.Take(chosen, 0);
                forward.Head(chosen);
                forward.Choose(chosen, drawn ? _workspace.Draws(rows) : default);
            }
        });
        _graphs.Add((rows, text, head, drawn, steps), graph);
        return graph;
    }

    /// <summary>Adds the tokens that the device has chosen.</summary>
    private void ReadChoices(IReadOnlyList<Sequence> sequences)
    {
        _device.Read(_workspace.Chosen, _chosen.AsSpan(0, sequences.Count * TokenKernels.ChoiceBytes));
        for (var row = 0; row < sequences.Count; row++)
        {
            var choice = _chosen.AsSpan(row * TokenKernels.ChoiceBytes);
            sequences[row].Choose(MemoryMarshal.Read<int>(choice[sizeof(float)..]), MemoryMarshal.Read<float>(choice), _decoder.Config.VocabularySize);
        }
    }

    private void Forget()
    {
        Forget(steps: false);
        Forget(steps: true);
    }

    /// <summary>Drops the graphs of prompts, or those of steps: what they read has moved.</summary>
    private bool Forget(bool steps)
    {
        foreach (var (key, graph) in _graphs.Where(entry => entry.Key.Steps == steps || _cache == _promptCache).ToArray())
        {
            graph.Dispose();
            _graphs.Remove(key);
        }

        return true;
    }

    /// <summary>The length under which a run is recorded: one token, a decode tile, then multiples of the prefill's tile.</summary>
    private static int Pad(int tokens) => tokens == 1 ? 1 : tokens <= DecodeTokens ? DecodeTokens : (tokens + TileTokens - 1) / TileTokens * TileTokens;
}
