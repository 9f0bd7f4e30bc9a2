using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Models;

/// <summary>The full-precision weights of one decoder block: what both the runtime and the quantizer read.</summary>
/// <param name="Layer">The block's number, from 0.</param>
/// <param name="Norms">The gains of both norms.</param>
/// <param name="Linears">The linear layers in the order of <see cref="DecoderLinear.Of"/>.</param>
public sealed record BlockWeights(int Layer, BlockNorms Norms, IReadOnlyList<LinearWeight> Linears)
{
    /// <summary>Reads norms and biases; weights are read when asked for.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static BlockWeights Of(ITensorSource source, TextConfig config, int layer)
        => new(layer, ReadNorms(source, config, layer), [.. DecoderLinear.Of(config).Select(linear => LinearWeight.Of(source, linear, layer))]);

    /// <summary>Reads the gains of a block's norms.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static BlockNorms ReadNorms(ITensorSource source, TextConfig config, int layer)
    {
        var prefix = DecoderLinear.BlockPrefix(layer);
        return new BlockNorms(
            source.ReadFloats(prefix + "input_layernorm.weight", config.HiddenSize),
            source.ReadFloats(prefix + "post_attention_layernorm.weight", config.HiddenSize));
    }

    /// <summary>The same block, whose <see cref="LinearWeight.ReadMatrix"/> rotates inputs by the blocks that <paramref name="rotation"/> gives.</summary>
    public BlockWeights Rotated(Func<DecoderLinear, int> rotation)
        => this with { Linears = [.. Linears.Select(linear => linear with { RotationBlock = rotation(linear.Linear) })] };

    /// <summary>The layers of one input group, in order.</summary>
    public IReadOnlyList<LinearWeight> Group(InputGroup group) => [.. Linears.Where(linear => linear.Linear.Group == group)];

    /// <summary>The block in full precision; reads all its weights.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public DecoderBlock ToDense(TextConfig config)
        => new(config, Norms, ReadDense(Group(InputGroup.Qkv)), ReadDense(Group(InputGroup.O)), ReadDense(Group(InputGroup.GateUp)), ReadDense(Group(InputGroup.Down)));

    internal static DenseLinearGroup ReadDense(IReadOnlyList<LinearWeight> group) => new([.. group.Select(layer => (layer.ReadDense(), layer.Bias))]);
}
