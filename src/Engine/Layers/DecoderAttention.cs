using System.Buffers;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>Causal attention with grouped queries: softmax(Q·Kᵀ/√d)·V, query t seeing all keys of its sequence up to its own. Each output row is the same however many queries are evaluated together. For one thread at a time.</summary>
internal sealed class DecoderAttention : IBlockAttention, IWork
{
    private const int TileQueries = 32;
    private int _headSize;
    private int _heads;
    private int _sharing;
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

        (_heads, _sharing, _headSize, _scale) = (step.Heads, step.Heads / step.KeyValueHeads, step.HeadSize, 1 / MathF.Sqrt(step.HeadSize));
        (_queries, _output, _oneOfEach) = (queries, output, _sequences == queries.Rows);
        Workers.For(_oneOfEach ? queries.Rows * (_heads / _sharing) : _heads * ((queries.Rows + TileQueries - 1) / TileQueries), this);
    }

    /// <summary>One product of queries and the keys of one head.</summary>
    void IWork.Run(int piece)
    {
        if (_oneOfEach)
        {
            AttendOneToken(piece / (_heads / _sharing), piece % (_heads / _sharing));
        }
        else
        {
            AttendTile(piece % _heads, piece / _heads * TileQueries);
        }
    }

    /// <summary>The query heads of one token that share a key head are the rows of one product, so that the cache is read once.</summary>
    private void AttendOneToken(int token, int keyHead)
    {
        var cache = _caches[token];
        Attend(cache, keyHead, (token * _queries.Columns) + (keyHead * _sharing * _headSize), _headSize, _sharing, cache.Length, visible: cache.Length, visibleStep: 0);
    }

    private void AttendTile(int head, int first)
    {
        var cache = _caches[0];
        var rows = Math.Min(TileQueries, _queries.Rows - first);
        var seen = cache.Length - _queries.Rows + first;
        Attend(cache, head / _sharing, (first * _queries.Columns) + (head * _headSize), _queries.Columns, rows, seen + rows, visible: seen + 1, visibleStep: 1);
    }

    /// <summary>Query r starts at <paramref name="start"/> + r · <paramref name="stride"/> and sees <paramref name="visible"/> + r · <paramref name="visibleStep"/> keys; the rest of <paramref name="keys"/> gets probability 0.</summary>
    private void Attend(KvCacheLayer cache, int keyHead, int start, int stride, int rows, int keys, int visible, int visibleStep)
    {
        var scores = LargeArray.Rent<float>(checked(rows * keys));
        FloatGemm.MultiplyNN(rows, keys, _headSize, _queries.Span[start..], stride, cache.Keys(keyHead), cache.Capacity, scores, keys);
        for (var row = 0; row < rows; row++)
        {
            var line = scores.AsSpan(row * keys, keys);
            var seen = visible + (row * visibleStep);
            Softmax.Apply(line[..seen], _scale);
            line[seen..].Clear();
        }

        FloatGemm.MultiplyNN(rows, _headSize, keys, scores, keys, cache.Values(keyHead), _headSize, _output.Span[start..], stride);
        ArrayPool<float>.Shared.Return(scores);
    }
}
