using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Layers;

/// <summary>The intermediate results of a decoder block, allocated once and reused from block to block and step to step. For one thread at a time.</summary>
public sealed class DecoderWorkspace
{
    private readonly RowBuffer _normed;
    private readonly RowBuffer _hidden;
    private readonly RowBuffer _logits;
    private LayerMemory[] _caches = [];
    private ModalityMap _text = ModalityMap.Text(1);

    /// <summary>Buffers for blocks of these extents; memory follows the longest run of tokens.</summary>
    public DecoderWorkspace(TextConfig config)
    {
        (_normed, _hidden, _logits) = (new(config.HiddenSize), new(config.HiddenSize), new(config.VocabularySize));
    }

    /// <summary>Holds what tokens leave in a block that is run without a cache.</summary>
    internal LayerMemory Uncached { get; } = new();

    /// <summary>What computes attention.</summary>
    internal DecoderAttention Attention { get; } = new();

    /// <summary>What steps hand on.</summary>
    internal StepValues Values { get; } = new();

    internal Matrix Normed(int tokens) => _normed.Rows(tokens);

    internal Matrix Hidden(int tokens) => _hidden.Rows(tokens);

    internal Matrix Logits(int tokens) => _logits.Rows(tokens);

    /// <summary>The modalities of tokens that are all text.</summary>
    internal ModalityMap Text(int tokens) => _text = _text.Count == tokens ? _text : ModalityMap.Text(tokens);

    /// <summary>The parts of one block of the caches of sequences.</summary>
    internal ReadOnlySpan<LayerMemory> Caches(ReadOnlySpan<KvCache> sequences, int layer)
    {
        if (_caches.Length < sequences.Length)
        {
            _caches = new LayerMemory[sequences.Length];
        }

        for (var i = 0; i < sequences.Length; i++)
        {
            _caches[i] = sequences[i][layer];
        }

        return _caches.AsSpan(0, sequences.Length);
    }
}
