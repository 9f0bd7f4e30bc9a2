using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Layers;

/// <summary>The keys and values of the tokens that a sequence has seen, per decoder block. Grows by blocks of tokens up to the model's positions. For one sequence, on one thread at a time.</summary>
public sealed class KvCache
{
    private readonly KvCacheLayer[] _layers;
    private readonly int _maxPositions;
    private int _mark;

    /// <summary>An empty cache.</summary>
    /// <param name="config">The decoder's extents.</param>
    /// <param name="format">How keys and values are kept.</param>
    public KvCache(TextConfig config, KeyValueFormat format = KeyValueFormat.Float32)
    {
        _maxPositions = config.MaxPositions;
        _layers = new KvCacheLayer[config.Layers];
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i] = NewLayer(config, format);
        }
    }

    /// <summary>The number of tokens held.</summary>
    public int Length => _layers[0].Length;

    /// <summary>Where the next text token stands: a medium's positions are not the number of its tokens.</summary>
    internal int NextPosition { get; set; }

    /// <summary>The part of decoder block <paramref name="layer"/>.</summary>
    public KvCacheLayer this[int layer] => _layers[layer];

    /// <summary>Refuses <paramref name="tokens"/> more tokens when the model has no positions for them.</summary>
    /// <exception cref="MASQuantException">MASQ0921.</exception>
    public void RequireRoom(int tokens) => RequireRoom((long)Length + tokens, _maxPositions);

    /// <summary>What it takes of memory.</summary>
    public long Bytes => _layers.Sum(layer => layer.Bytes);

    /// <summary>Takes the first <paramref name="length"/> tokens of another cache in place of its own.</summary>
    public void CopyFrom(KvCache other, int length)
    {
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer].CopyFrom(other._layers[layer], length);
        }
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        foreach (var layer in _layers)
        {
            layer.Truncate(length);
        }
    }

    /// <summary>Remembers the length for <see cref="Restore"/>.</summary>
    internal void Mark() => _mark = Length;

    /// <summary>Forgets the tokens since <see cref="Mark"/>.</summary>
    internal void Restore() => Truncate(_mark);

    public static void RequireRoom(long length, int maxPositions)
    {
        if (length > maxPositions)
        {
            throw new MASQuantException(DiagnosticCodes.SequenceTooLong, null,
                $"The sequence needs {length} positions; the model has {maxPositions}. Shorten the prompt or generate fewer tokens.");
        }
    }

    internal static KvCacheLayer NewLayer(TextConfig config, KeyValueFormat format = KeyValueFormat.Float32) => new(config.KeyValueHeads, config.HeadSize, format);
}
