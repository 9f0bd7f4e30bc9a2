using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Audio;

/// <summary>One layer of the audio tower: attention and an MLP with GELU, each behind a layer norm and added to its input.</summary>
internal sealed class AudioTowerLayer
{
    private readonly int _heads;
    private readonly AudioTowerNorm _attentionNorm;
    private readonly AudioTowerNorm _mlpNorm;
    private readonly DenseLinear _query;
    private readonly DenseLinear _key;
    private readonly DenseLinear _value;
    private readonly DenseLinear _output;
    private readonly DenseLinear _inner;
    private readonly DenseLinear _outer;

    /// <summary>Reads layer <paramref name="index"/>. Keys have no bias.</summary>
    public AudioTowerLayer(ITensorSource source, AudioConfig config, int index)
    {
        var (prefix, d, inner) = (FormattableString.Invariant($"audio_tower.layers.{index}."), config.ModelSize, config.FeedForwardSize);
        _heads = config.Heads;
        _attentionNorm = new AudioTowerNorm(source, prefix + "self_attn_layer_norm", d);
        _mlpNorm = new AudioTowerNorm(source, prefix + "final_layer_norm", d);
        _query = DenseLinear.Read(source, prefix + "self_attn.q_proj", d, d);
        _key = DenseLinear.Read(source, prefix + "self_attn.k_proj", d, d, bias: false);
        _value = DenseLinear.Read(source, prefix + "self_attn.v_proj", d, d);
        _output = DenseLinear.Read(source, prefix + "self_attn.out_proj", d, d);
        _inner = DenseLinear.Read(source, prefix + "fc1", inner, d);
        _outer = DenseLinear.Read(source, prefix + "fc2", d, inner);
    }

    /// <summary>Updates <paramref name="x"/> [T, D]; <paramref name="bounds"/> are the windows that attend to themselves.</summary>
    public void Forward(Matrix x, int[] bounds, CancellationToken cancellationToken)
    {
        var normed = new Matrix(x.Rows, x.Columns);
        _attentionNorm.Apply(x, normed);
        var (q, k, v) = (_query.Forward(normed), _key.Forward(normed), _value.Forward(normed));
        SegmentAttention.Apply(q, k, v, _heads, bounds, normed, cancellationToken);
        _output.Forward(normed, q);
        Residual.Add(x, q);

        _mlpNorm.Apply(x, normed);
        var inner = _inner.Forward(normed);
        Gelu.Apply(inner);
        _outer.Forward(inner, q);
        Residual.Add(x, q);
    }
}
