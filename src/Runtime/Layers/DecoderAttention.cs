using System.Buffers;
using MASQuant.Configuration;
using MASQuant.Gemm;
using MASQuant.Tensors;

namespace MASQuant.Layers;

/// <summary>Causal attention with grouped queries: softmax(Q·Kᵀ/√d)·V, query t seeing all keys up to its own. Each output row is the same however many queries are evaluated together. For one thread at a time.</summary>
internal sealed class DecoderAttention(TextConfig config) : IWork
{
    private const int TileQueries = 32;
    private readonly int _headSize = config.HeadSize;
    private readonly int _heads = config.AttentionHeads;
    private readonly int _sharing = config.AttentionHeads / config.KeyValueHeads;
    private readonly float _scale = 1 / MathF.Sqrt(config.HeadSize);
    private Matrix _queries = new(0, 0);
    private Matrix _output = new(0, 0);
    private KvCacheLayer _cache = KvCache.NewLayer(config);

    /// <summary>Attends from the last T tokens of <paramref name="cache"/>.</summary>
    /// <param name="queries">[T, heads × d], rotated.</param>
    /// <param name="cache">Keys and values, those of the T tokens included.</param>
    /// <param name="output">[T, heads × d], overwritten.</param>
    public void Apply(Matrix queries, KvCacheLayer cache, Matrix output)
    {
        (_queries, _cache, _output) = (queries, cache, output);
        Workers.For(queries.Rows == 1 ? _heads / _sharing : _heads * ((queries.Rows + TileQueries - 1) / TileQueries), this);
    }

    /// <summary>One product of queries and the keys of one head.</summary>
    void IWork.Run(int piece)
    {
        if (_queries.Rows == 1)
        {
            AttendOneToken(piece);
        }
        else
        {
            AttendTile(piece % _heads, piece / _heads * TileQueries);
        }
    }

    /// <summary>The query heads of one token that share a key head are the rows of one product, so that the cache is read once.</summary>
    private void AttendOneToken(int keyHead)
        => Attend(keyHead, keyHead * _sharing * _headSize, _headSize, _sharing, _cache.Length, visible: _cache.Length, visibleStep: 0);

    private void AttendTile(int head, int first)
    {
        var rows = Math.Min(TileQueries, _queries.Rows - first);
        var seen = _cache.Length - _queries.Rows + first;
        Attend(head / _sharing, (first * _queries.Columns) + (head * _headSize), _queries.Columns, rows, seen + rows, visible: seen + 1, visibleStep: 1);
    }

    /// <summary>Query r starts at <paramref name="start"/> + r · <paramref name="stride"/> and sees <paramref name="visible"/> + r · <paramref name="visibleStep"/> keys; the rest of <paramref name="keys"/> gets probability 0.</summary>
    private void Attend(int keyHead, int start, int stride, int rows, int keys, int visible, int visibleStep)
    {
        var scores = ArrayPool<float>.Shared.Rent(checked(rows * keys));
        FloatGemm.MultiplyNN(rows, keys, _headSize, _queries.Span[start..], stride, _cache.Keys(keyHead), _cache.Capacity, scores, keys);
        for (var row = 0; row < rows; row++)
        {
            var line = scores.AsSpan(row * keys, keys);
            var seen = visible + (row * visibleStep);
            Softmax.Apply(line[..seen], _scale);
            line[seen..].Clear();
        }

        FloatGemm.MultiplyNN(rows, _headSize, keys, scores, keys, _cache.Values(keyHead), _headSize, _output.Span[start..], stride);
        ArrayPool<float>.Shared.Return(scores);
    }
}
