using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>A full-precision input group.</summary>
public sealed class DenseLinearGroup : ILinearGroup
{
    private readonly IReadOnlyList<(DenseWeight Weight, float[] Bias)> _layers;

    /// <summary>Groups weights [N_i, K], each with N_i biases or none, in the order of <see cref="InputGroup"/>'s remarks.</summary>
    public DenseLinearGroup(params IReadOnlyList<(DenseWeight Weight, float[] Bias)> layers) => _layers = layers;

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _layers.Count);
        for (var i = 0; i < outputs.Length; i++)
        {
            FloatGemm.Multiply(x, _layers[i].Weight, _layers[i].Bias, outputs[i]);
        }
    }
}
