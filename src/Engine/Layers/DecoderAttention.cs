using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>Causal attention with grouped queries: softmax(Q·Kᵀ/√d)·V, query t seeing all keys of its sequence up to its own. Each output row is the same however many queries are evaluated together. For one thread at a time.</summary>
internal sealed unsafe class DecoderAttention : IBlockAttention, IWork
{
    // Pieces a thread, where there are rows for so many: early queries see less than late ones.
    private const int ThreadPieces = 4;

    private int _headSize;
    private int _keyHeads;
    private int _sharing;
    private int _tileTokens;
    private float _scale;
    private Matrix _queries = new(0, 0);
    private Matrix _output = new(0, 0);
    private RotaryTable? _rotary;
    private LayerMemory[] _memories = [];
    private KvCacheLayer[] _caches = [];
    private int _sequences;
    private bool _oneOfEach;

    /// <summary>Says what the next block reads.</summary>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="memories">What is left of the tokens before: of one sequence, or of T, each of which has one of the tokens.</param>
    public void Begin(RotaryTable rotary, ReadOnlySpan<LayerMemory> memories)
    {
        if (_caches.Length < memories.Length)
        {
            (_memories, _caches) = (new LayerMemory[memories.Length], new KvCacheLayer[memories.Length]);
        }

        memories.CopyTo(_memories);
        (_rotary, _sequences) = (rotary, memories.Length);
        Recurrence.Begin(memories);
    }

    /// <inheritdoc/>
    public Recurrence Recurrence { get; } = new();

    /// <inheritdoc/>
    public void Rotate(Matrix x) => _rotary!.Rotate(x);

    /// <inheritdoc/>
    /// <remarks>Keys and values are added to the caches. The T tokens are the last of their sequences.</remarks>
    public void Attend(AttendStep step, Matrix queries, Matrix keys, Matrix values, Matrix output)
    {
        for (var sequence = 0; sequence < _sequences; sequence++)
        {
            _caches[sequence] = _memories[sequence].KeysAndValues(step);
            _caches[sequence].Append(keys, values, sequence, queries.Rows / _sequences);
        }

        (_keyHeads, _sharing, _headSize, _scale) = (step.KeyValueHeads, step.Heads / step.KeyValueHeads, step.HeadSize, 1 / MathF.Sqrt(step.HeadSize));
        (_queries, _output, _oneOfEach) = (queries, output, _sequences == queries.Rows);
        var share = ((queries.Rows * _keyHeads) + (ThreadPieces * Workers.Count) - 1) / (ThreadPieces * Workers.Count);
        _tileTokens = _oneOfEach ? 1 : Math.Clamp(share, 1, AttentionTile.Tokens(_sharing));
        Workers.For(_keyHeads * ((queries.Rows + _tileTokens - 1) / _tileTokens), this);
    }

    /// <summary>The queries of some tokens that read one key head, so that its keys are read once.</summary>
    void IWork.Run(int piece)
    {
        var (head, first) = (piece % _keyHeads, piece / _keyHeads * _tileTokens);
        var cache = _caches[_oneOfEach ? first : 0];
        var visible = _oneOfEach ? cache.Length : cache.Length - _queries.Rows + first + 1;
        fixed (float* queries = _queries.Data, output = _output.Data)
        {
            AttentionTile.Current.Attend(cache, head, Rows(queries), Rows(output), Math.Min(_tileTokens, _queries.Rows - first), _sharing, visible, visibleStep: 1, _scale);
        }

        HeadRows Rows(float* values) => new(values + ((nint)first * _queries.Columns) + (head * _sharing * _headSize), _queries.Columns, _headSize);
    }
}
