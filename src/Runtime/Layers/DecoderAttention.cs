using System.Buffers;
using MASQuant.Configuration;
using MASQuant.Gemm;
using MASQuant.Tensors;

namespace MASQuant.Layers;

/// <summary>Causal attention with grouped queries: softmax(Q·Kᵀ/√d)·V, query t seeing all keys up to its own. Each output row is the same however many queries are evaluated together.</summary>
internal sealed class DecoderAttention(TextConfig config)
{
    private const int TileQueries = 32;
    private readonly int _headSize = config.HeadSize;
    private readonly int _heads = config.AttentionHeads;
    private readonly int _sharing = config.AttentionHeads / config.KeyValueHeads;
    private readonly float _scale = 1 / MathF.Sqrt(config.HeadSize);

    /// <summary>Attends from the last T tokens of <paramref name="cache"/>.</summary>
    /// <param name="queries">[T, heads × d], rotated.</param>
    /// <param name="cache">Keys and values, those of the T tokens included.</param>
    /// <param name="output">[T, heads × d], overwritten.</param>
    public void Apply(Matrix queries, KvCacheLayer cache, Matrix output)
    {
        if (queries.Rows == 1)
        {
            for (var group = 0; group < _heads / _sharing; group++)
            {
                AttendOneToken(queries, cache, group, output);
            }

            return;
        }

        var tiles = (queries.Rows + TileQueries - 1) / TileQueries;
        Workers.For(_heads * tiles, piece => AttendTile(queries, cache, piece % _heads, piece / _heads * TileQueries, output));
    }

    /// <summary>The query heads of one token that share a key head are the rows of one product.</summary>
    private void AttendOneToken(Matrix query, KvCacheLayer cache, int group, Matrix output)
    {
        var start = group * _sharing * _headSize;
        var scores = ArrayPool<float>.Shared.Rent(_sharing * cache.Length);
        FloatGemm.MultiplyNN(_sharing, cache.Length, _headSize, query.Span[start..], _headSize, cache.Keys(group), cache.Capacity, scores, cache.Length);
        for (var row = 0; row < _sharing; row++)
        {
            Softmax.Apply(scores.AsSpan(row * cache.Length, cache.Length), _scale);
        }

        FloatGemm.MultiplyNN(_sharing, _headSize, cache.Length, scores, cache.Length, cache.Values(group), _headSize, output.Span[start..], _headSize);
        ArrayPool<float>.Shared.Return(scores);
    }

    /// <summary>One head of up to <see cref="TileQueries"/> tokens; keys that a row must not see get probability 0.</summary>
    private void AttendTile(Matrix queries, KvCacheLayer cache, int head, int first, Matrix output)
    {
        var rows = Math.Min(TileQueries, queries.Rows - first);
        var seen = cache.Length - queries.Rows + first;
        var keys = seen + rows;
        var (start, group, stride) = ((first * queries.Columns) + (head * _headSize), head / _sharing, queries.Columns);
        var scores = ArrayPool<float>.Shared.Rent(rows * keys);
        FloatGemm.MultiplyNN(rows, keys, _headSize, queries.Span[start..], stride, cache.Keys(group), cache.Capacity, scores, keys);
        for (var row = 0; row < rows; row++)
        {
            var visible = seen + row + 1;
            Softmax.Apply(scores.AsSpan(row * keys, visible), _scale);
            scores.AsSpan((row * keys) + visible, keys - visible).Clear();
        }

        FloatGemm.MultiplyNN(rows, _headSize, keys, scores, keys, cache.Values(group), _headSize, output.Span[start..], stride);
        ArrayPool<float>.Shared.Return(scores);
    }
}
