using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Layers;

/// <summary>The intermediate results of a decoder block, allocated once and reused from block to block and step to step. For one thread at a time.</summary>
public sealed class DecoderWorkspace
{
    private readonly Buffer _normed;
    private readonly Buffer _query;
    private readonly Buffer _key;
    private readonly Buffer _value;
    private readonly Buffer _attended;
    private readonly Buffer _projected;
    private readonly Buffer _gate;
    private readonly Buffer _up;
    private readonly Buffer _hidden;
    private readonly Buffer _logits;
    private KvCacheLayer[] _caches = [];

    /// <summary>Buffers for blocks of these extents; memory follows the longest run of tokens.</summary>
    public DecoderWorkspace(TextConfig config)
    {
        var (queries, keys) = (config.AttentionHeads * config.HeadSize, config.KeyValueHeads * config.HeadSize);
        (_normed, _projected) = (new(config.HiddenSize), new(config.HiddenSize));
        (_query, _key, _value, _attended) = (new(queries), new(keys), new(keys), new(queries));
        (_gate, _up) = (new(config.IntermediateSize), new(config.IntermediateSize));
        (_hidden, _logits) = (new(config.HiddenSize), new(config.VocabularySize));
        Uncached = KvCache.NewLayer(config);
        Attention = new DecoderAttention(config);
    }

    /// <summary>Holds the keys and values of a block that is run without a cache.</summary>
    internal KvCacheLayer Uncached { get; }

    internal DecoderAttention Attention { get; }

    internal Matrix Normed(int tokens) => _normed.Rows(tokens);

    internal Matrix Query(int tokens) => _query.Rows(tokens);

    internal Matrix Key(int tokens) => _key.Rows(tokens);

    internal Matrix Value(int tokens) => _value.Rows(tokens);

    internal Matrix Attended(int tokens) => _attended.Rows(tokens);

    internal Matrix Projected(int tokens) => _projected.Rows(tokens);

    internal Matrix Gate(int tokens) => _gate.Rows(tokens);

    internal Matrix Up(int tokens) => _up.Rows(tokens);

    internal Matrix Hidden(int tokens) => _hidden.Rows(tokens);

    internal Matrix Logits(int tokens) => _logits.Rows(tokens);

    /// <summary>The parts of one block of the caches of sequences.</summary>
    internal ReadOnlySpan<KvCacheLayer> Caches(ReadOnlySpan<KvCache> sequences, int layer)
    {
        if (_caches.Length < sequences.Length)
        {
            _caches = new KvCacheLayer[sequences.Length];
        }

        for (var i = 0; i < sequences.Length; i++)
        {
            _caches[i] = sequences[i][layer];
        }

        return _caches.AsSpan(0, sequences.Length);
    }

    private sealed class Buffer(int columns)
    {
        private Matrix _matrix = new(0, columns);

        public Matrix Rows(int rows)
        {
            if (_matrix.Rows != rows)
            {
                _matrix = (long)rows * columns <= _matrix.Data.Length ? new Matrix(rows, columns, _matrix.Data) : new Matrix(rows, columns);
            }

            return _matrix;
        }
    }
}
