using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Models;

/// <summary>The full-precision weights of one decoder block: what both the runtime and the quantizer read.</summary>
/// <param name="Layer">The block's number, from 0.</param>
/// <param name="Description">Its steps.</param>
/// <param name="Source">Where weights are read from; must outlive this.</param>
/// <param name="Linears">The layers of all input groups, in order.</param>
public sealed record BlockWeights(int Layer, BlockDescription Description, ITensorSource Source, IReadOnlyList<LinearWeight> Linears)
{
    /// <summary>Reads biases; weights are read when asked for.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static BlockWeights Of(ITensorSource source, DecoderDescription decoder, int layer)
    {
        var description = decoder.Blocks[layer];
        return new(layer, description, source, [.. description.Linears.Select(linear => LinearWeight.Of(source, linear, description.Prefix))]);
    }

    /// <summary>The layers of one input group, in order.</summary>
    public IReadOnlyList<LinearWeight> Group(InputGroup group) => [.. Linears.Where(linear => linear.Linear.Group == group)];

    /// <summary>Reads the norms, in the order of their steps.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public IReadOnlyList<Norm> ReadNorms() => [.. Description.Norms.Select(norm => Norm.Read(Source, Description.Prefix, norm))];

    /// <summary>Reads what steps have beside norms and linear layers, in their order.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public IReadOnlyList<float[]> ReadParameters() => TransformerBlock.ReadParameters(Source, Description);

    /// <summary>Reads the weights of a step whose layers, which have no biases, stay as they are, [N_i, K].</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public IReadOnlyList<Matrix> ReadExact(ProjectStep step) => [.. step.Linears.Select(linear => Source.ReadMatrix($"{Description.Prefix}{linear.Name}.weight", linear.Outputs, linear.Inputs))];

    /// <summary>The block in full precision; reads all its weights.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public TransformerBlock ToDense() => TransformerBlock.Read(Source, Description);
}
