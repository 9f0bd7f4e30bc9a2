using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Vision;

/// <summary>One block of the vision tower: attention and a gated MLP, each behind an RMS norm and added to its input.</summary>
public sealed class VisionTowerBlock
{
    /// <summary>ε of the tower's RMS norms; configurations do not carry it.</summary>
    public const float NormEpsilon = 1e-6f;

    private readonly int _heads;
    private readonly float[] _attentionNorm;
    private readonly float[] _mlpNorm;
    private readonly DenseLinear[] _queryKeyValue;
    private readonly DenseLinear _output;
    private readonly DenseLinear _gate;
    private readonly DenseLinear _up;
    private readonly DenseLinear _down;

    /// <summary>Reads block <paramref name="index"/>. Query, key and value are one tensor in VL checkpoints and three in Omni's.</summary>
    public VisionTowerBlock(ITensorSource source, VisionConfig config, int index)
    {
        var (prefix, hidden, inner) = (FormattableString.Invariant($"visual.blocks.{index}."), config.HiddenSize, config.IntermediateSize);
        _heads = config.Heads;
        _attentionNorm = source.ReadFloats(prefix + "norm1.weight", hidden);
        _mlpNorm = source.ReadFloats(prefix + "norm2.weight", hidden);
        _queryKeyValue = source.TryGet(prefix + "attn.qkv.weight", out _)
            ? DenseLinear.ReadFused(source, prefix + "attn.qkv", 3, hidden, hidden)
            : [.. new[] { "q", "k", "v" }.Select(name => DenseLinear.Read(source, prefix + "attn." + name, hidden, hidden))];
        _output = DenseLinear.Read(source, prefix + "attn.proj", hidden, hidden);
        _gate = DenseLinear.Read(source, prefix + "mlp.gate_proj", inner, hidden);
        _up = DenseLinear.Read(source, prefix + "mlp.up_proj", inner, hidden);
        _down = DenseLinear.Read(source, prefix + "mlp.down_proj", hidden, inner);
    }

    /// <summary>Updates <paramref name="x"/> [T, H]; <paramref name="bounds"/> are the segments that attend to themselves.</summary>
    public void Forward(Matrix x, VisionTowerRotary rotary, int[] bounds, Buffers buffers, CancellationToken cancellationToken)
    {
        var (normed, q, k, v) = (buffers.Normed, buffers.Query, buffers.Key, buffers.Value);
        RmsNorm.Apply(x, _attentionNorm, NormEpsilon, normed);
        _queryKeyValue[0].Forward(normed, q);
        _queryKeyValue[1].Forward(normed, k);
        _queryKeyValue[2].Forward(normed, v);
        rotary.Rotate(q);
        rotary.Rotate(k);
        SegmentAttention.Apply(q, k, v, _heads, bounds, normed, cancellationToken);
        _output.Forward(normed, q);
        Residual.Add(x, q);

        RmsNorm.Apply(x, _mlpNorm, NormEpsilon, normed);
        _gate.Forward(normed, buffers.Gate);
        _up.Forward(normed, buffers.Up);
        Silu.Multiply(buffers.Gate, buffers.Up, buffers.Gate);
        _down.Forward(buffers.Gate, q);
        Residual.Add(x, q);
    }

    /// <summary>What a block needs beside the residual stream; the blocks share it.</summary>
    public sealed class Buffers(int patches, VisionConfig config)
    {
        /// <summary>[T, H]: the norms' and the attention's output.</summary>
        public Matrix Normed { get; } = new(patches, config.HiddenSize);

        /// <summary>[T, H]: queries, then the output of either branch.</summary>
        public Matrix Query { get; } = new(patches, config.HiddenSize);

        /// <summary>[T, H].</summary>
        public Matrix Key { get; } = new(patches, config.HiddenSize);

        /// <summary>[T, H].</summary>
        public Matrix Value { get; } = new(patches, config.HiddenSize);

        /// <summary>[T, intermediate].</summary>
        public Matrix Gate { get; } = new(patches, config.IntermediateSize);

        /// <summary>[T, intermediate].</summary>
        public Matrix Up { get; } = new(patches, config.IntermediateSize);
    }
}
