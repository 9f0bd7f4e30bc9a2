using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Models;

/// <summary>The full-precision weight of one decoder linear, still in its checkpoint, and its bias.</summary>
/// <param name="Linear">Name, group and extents.</param>
/// <param name="Tensor">The weight's tensor, for example <c>model.layers.0.mlp.down_proj.weight</c>, [N, K].</param>
/// <param name="Bias">N values, or empty.</param>
/// <param name="Source">Where the weight is read from; must outlive this.</param>
public sealed record LinearWeight(DecoderLinear Linear, string Tensor, float[] Bias, ITensorSource Source)
{
    /// <summary>Reads the weight as FP32, [N, K].</summary>
    /// <exception cref="MASQuantException">The tensor is missing, of another shape or type, or not finite.</exception>
    public Matrix ReadMatrix() => Source.ReadMatrix(Tensor, Linear.Outputs, Linear.Inputs);

    /// <summary>Reads the weight for the FP32 GEMM.</summary>
    /// <exception cref="MASQuantException">The tensor is missing, of another shape or type, or not finite.</exception>
    public DenseWeight ReadDense() => Source.ReadDense(Tensor, Linear.Outputs, Linear.Inputs);

    public static LinearWeight Of(ITensorSource source, DecoderLinear linear, string prefix)
    {
        var name = prefix + linear.Name;
        var bias = source.TryGet(name + ".bias", out _) ? source.ReadFloats(name + ".bias", linear.Outputs) : [];
        return new LinearWeight(linear, name + ".weight", bias, source);
    }
}
