using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Layers;

/// <summary>Full-precision layers with one input.</summary>
public sealed class DenseLinearGroup : ILinearGroup
{
    private readonly DenseLinear[] _layers;

    /// <summary>Groups weights [N_i, K], each with N_i biases or none, in the order of their step's layers.</summary>
    public DenseLinearGroup(params IReadOnlyList<(DenseWeight Weight, float[] Bias)> layers)
        : this([.. layers.Select(layer => new DenseLinear(layer.Weight, layer.Bias))])
    {
    }

    private DenseLinearGroup(DenseLinear[] layers) => _layers = layers;

    /// <summary>Reads the layers of a step.</summary>
    /// <param name="source">Is not kept.</param>
    /// <param name="step">Names and extents.</param>
    /// <param name="prefix">What precedes the names.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DenseLinearGroup Read(ITensorSource source, ProjectStep step, string prefix)
        => new(step.IsStoredAsOne(source, prefix) ? DenseLinear.ReadFused(source, prefix + step.FusedName, step.Linears) : [.. step.Linears.Select(layer => DenseLinear.Read(source, layer, prefix))]);

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _layers.Length);
        for (var i = 0; i < outputs.Length; i++)
        {
            _layers[i].Forward(x, outputs[i]);
        }
    }
}
