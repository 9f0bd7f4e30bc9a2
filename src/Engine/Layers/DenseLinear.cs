using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Layers;

/// <summary>A linear layer that stays in full precision: y = x · Wᵀ + bias.</summary>
internal sealed class DenseLinear
{
    private readonly DenseWeight _weight;
    private readonly float[] _bias;

    private DenseLinear(DenseWeight weight, float[] bias)
    {
        _weight = weight;
        _bias = bias;
    }

    /// <summary>N, the number of output features.</summary>
    public int Outputs => _weight.Outputs;

    /// <summary>Reads <c>NAME.weight</c> [N, K] (a convolution's trailing extents count as one) and, unless told otherwise, <c>NAME.bias</c> [N].</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DenseLinear Read(ITensorSource source, string name, int outputs, int inputs, bool bias = true)
        => new(source.ReadDense(name + ".weight", outputs, inputs), bias ? source.ReadFloats(name + ".bias", outputs) : []);

    /// <summary>Reads <paramref name="parts"/> layers of equal size that are stored as one, [parts · N, K].</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DenseLinear[] ReadFused(ITensorSource source, string name, int parts, int outputs, int inputs)
    {
        var weights = source.ReadMatrix(name + ".weight", checked(parts * outputs), inputs);
        var biases = source.ReadFloats(name + ".bias", parts * outputs);
        var keepsBFloat16 = source.Find(name + ".weight").Type == DataType.BF16;
        var layers = new DenseLinear[parts];
        for (var part = 0; part < parts; part++)
        {
            var size = outputs * inputs;
            var weight = keepsBFloat16
                ? DenseWeight.FromBFloat16(source.Bytes(name + ".weight").Span.Slice(part * size * sizeof(ushort), size * sizeof(ushort)), outputs, inputs)
                : DenseWeight.FromFloats(new Matrix(outputs, inputs, weights.Span.Slice(part * size, size).ToArray()));
            layers[part] = new DenseLinear(weight, biases.AsSpan(part * outputs, outputs).ToArray());
        }

        return layers;
    }

    /// <summary>Computes <paramref name="y"/> [T, N] of <paramref name="x"/> [T, K].</summary>
    public void Forward(Matrix x, Matrix y) => FloatGemm.Multiply(x, _weight, _bias, y);

    /// <summary>Computes a new [T, N] of <paramref name="x"/> [T, K].</summary>
    public Matrix Forward(Matrix x)
    {
        var y = new Matrix(x.Rows, Outputs);
        Forward(x, y);
        return y;
    }
}
