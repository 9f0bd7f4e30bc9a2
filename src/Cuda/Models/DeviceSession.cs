using System.Numerics;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;

namespace MASQuant.Cuda.Models;

/// <summary>Sequences in progress on a device. A step copies its tokens' ids and positions in, queues one graph, and reads the chosen ids back.</summary>
public sealed class DeviceSession : IDecoderSession
{
    private readonly DeviceDecoder _decoder;
    private readonly ICudaDevice _device;
    private readonly DeviceWorkspace _workspace;
    private readonly DeviceStep _step;
    private readonly DeviceKvCache _cache;
    private readonly RecordedRuns _steps;
    private readonly RecordedRuns _prompts;
    private readonly DevicePrompt _prompt;
    private readonly RotaryTable _rotary;
    private readonly int[] _lengths;
    private readonly int[] _positions;
    private readonly byte[] _chosen;
    private float[] _logits = [];
    private int _rows;

    /// <summary>No sequences yet.</summary>
    /// <param name="decoder">The shared decoder.</param>
    /// <param name="prefillTokens">How many prompt tokens are evaluated at once.</param>
    /// <param name="sequences">The most sequences in progress, up to <see cref="DeviceDecoder.MaxSequences"/>. With several, prompts are evaluated apart from them and their keys and values copied, so that what is recorded for a prompt serves every row.</param>
    public DeviceSession(DeviceDecoder decoder, int prefillTokens, int sequences = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequences, decoder.MaxSequences);
        (_decoder, _device) = (decoder, decoder.Device);
        _workspace = new DeviceWorkspace(decoder);
        _step = new DeviceStep(decoder, _workspace);
        _cache = new DeviceKvCache(_device, decoder.Description);
        _steps = new RecordedRuns(decoder, _workspace, _cache);
        _prompts = sequences == 1 ? _steps : new RecordedRuns(decoder, _workspace, new DeviceKvCache(_device, decoder.Description));
        _prompt = new DevicePrompt(decoder, _workspace, _step, _prompts, prefillTokens);
        _rotary = new RotaryTable(decoder.Description.Rotary);
        (_lengths, _positions, _chosen) = (new int[sequences], new int[sequences], new byte[sequences * TokenKernels.ChoiceBytes]);
    }

    /// <inheritdoc/>
    public void Begin(PreparedPrompt prompt, IKeptTokens? kept = null)
    {
        lock (_decoder.Gate)
        {
            _prompt.Begin(prompt);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A chunk of another length may be computed by other kernels, and end in other last bits: <paramref name="most"/> is left alone.</remarks>
    public bool Advance(Sequence sequence, int most, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_decoder.Gate)
        {
            var prompt = _prompt.Prompt!;
            _prompt.Advance(prompt.InputIds.Length - 1, 1, [sequence]);
            if (!_prompt.IsDone)
            {
                return false;
            }

            ReadChoices([sequence]);
            sequence.ThrowIfFailed();
            MakeRow(prompt);
            return true;
        }
    }

    /// <inheritdoc/>
    public bool HasRoom(int row) => _lengths[row] < _decoder.Config.MaxPositions;

    /// <inheritdoc/>
    public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var rows = (int)BitOperations.RoundUpToPowerOf2((uint)_rows);
        _rotary.Set(_positions.AsSpan(0, _rows));
        lock (_decoder.Gate)
        {
            _cache.Reserve(1, 0);
            _workspace.ReserveTokens(rows);
            _step.Start(rows, firstRow: 0, _rotary);
            _lengths.AsSpan(0, _rows).CopyTo(_step.Cached);
            for (var row = 0; row < _rows; row++)
            {
                _decoder.Vocabulary?.RequireRow(sequences[row].Token);
                _step.Sources[row] = sequences[row].Token;
            }

            var drawn = _step.Draw(sequences, rows);
            _step.Write();
            _steps.Launch(rows, text: true, apart: true, chosen: rows, drawn);
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
    /// <remarks>Nothing: a prompt begun behind them would be cut into other chunks.</remarks>
    public IKeptTokens? Keep(int row)
    {
        End(row);
        return null;
    }

    /// <inheritdoc/>
    public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default)
    {
        var (first, count) = rows.GetOffsetAndLength(prompt.InputIds.Length);
        var logits = new Matrix(count, _decoder.Config.VocabularySize);
        lock (_decoder.Gate)
        {
            _workspace.ReserveRows(Math.Max(1, count));
            _prompt.Begin(prompt);
            while (!_prompt.IsDone)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _prompt.Advance(first, count, []);
            }

            if (count > 0)
            {
                _workspace.ReserveRows(count);
                _prompts.Forward.Head(count);
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
            _steps.Dispose();
            _prompts.Dispose();
            _workspace.Dispose();
            _cache.Dispose();
            if (_prompts != _steps)
            {
                _prompts.Cache.Dispose();
            }
        }
    }

    /// <summary>Makes the prompt that was evaluated the last row.</summary>
    private void MakeRow(PreparedPrompt prompt)
    {
        var tokens = _prompts.Cache.Length;
        if (_prompts != _steps)
        {
            // A step of three rows is one of four: the fourth writes behind no token of a sequence that does not exist.
            _cache.ReserveSequences((int)BitOperations.RoundUpToPowerOf2((uint)_rows + 1));
            _cache.Reserve(Math.Max(0, tokens - _cache.Length), 0);
            _cache.Copy(_prompts.Cache, 0, _rows, tokens);
            _cache.Length = Math.Max(_cache.Length, tokens);
        }

        (_lengths[_rows], _positions[_rows]) = (tokens, prompt.PositionIds.Next);
        _rows++;
    }

    /// <summary>Adds the tokens that the device has chosen; where the tokens so far decide too, those that the sequence's own sampler chooses.</summary>
    private void ReadChoices(IReadOnlyList<Sequence> sequences)
    {
        _device.Read(_workspace.Chosen, _chosen.AsSpan(0, sequences.Count * TokenKernels.ChoiceBytes));
        for (var row = 0; row < sequences.Count; row++)
        {
            if (sequences[row].Sampler.NeedsLogits)
            {
                sequences[row].Choose(ReadLogits(row));
                continue;
            }

            var choice = _chosen.AsSpan(row * TokenKernels.ChoiceBytes);
            sequences[row].Choose(MemoryMarshal.Read<int>(choice[sizeof(float)..]), MemoryMarshal.Read<float>(choice), _decoder.Config.VocabularySize);
        }
    }

    private ReadOnlySpan<float> ReadLogits(int row)
    {
        var vocabulary = _decoder.Config.VocabularySize;
        _logits = _logits.Length == vocabulary ? _logits : new float[vocabulary];
        _device.Read(_workspace.Logits + ((long)row * vocabulary * sizeof(float)), MemoryMarshal.AsBytes(_logits.AsSpan()));
        return _logits;
    }
}
