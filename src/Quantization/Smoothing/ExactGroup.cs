using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Quantization.Smoothing;

/// <summary>An input group in full precision, Y_i = X·W_iᵀ + b_i.</summary>
/// <param name="weights">W_i, [N_i, K].</param>
/// <param name="biases">b_i, N_i values or none.</param>
internal sealed class ExactGroup(IReadOnlyList<Matrix> weights, IReadOnlyList<float[]> biases) : ISimulatedGroup
{
    /// <summary>A group without biases.</summary>
    public ExactGroup(IReadOnlyList<Matrix> weights)
        : this(weights, [.. weights.Select(_ => Array.Empty<float>())])
    {
    }

    public Matrix[] Forward(Matrix x, ModalityMap modalities)
    {
        var outputs = weights.Select(weight => new Matrix(x.Rows, weight.Rows)).ToArray();
        for (var i = 0; i < outputs.Length; i++)
        {
            FloatGemm.Multiply(x, transposeA: false, weights[i], transposeB: true, outputs[i], accumulate: false);
            for (var t = 0; biases[i].Length > 0 && t < x.Rows; t++)
            {
                var row = outputs[i].Row(t);
                for (var n = 0; n < row.Length; n++)
                {
                    row[n] += biases[i][n];
                }
            }
        }

        return outputs;
    }

    public Matrix Backward(IReadOnlyList<Matrix> outputGradients)
    {
        var gradient = new Matrix(outputGradients[0].Rows, weights[0].Columns);
        for (var i = 0; i < weights.Count; i++)
        {
            FloatGemm.Multiply(outputGradients[i], transposeA: false, weights[i], transposeB: false, gradient, accumulate: true);
        }

        return gradient;
    }
}
