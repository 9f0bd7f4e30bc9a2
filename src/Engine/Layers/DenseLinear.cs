using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Layers;

/// <summary>A linear layer that stays in full precision: y = x · Wᵀ + bias.</summary>
internal sealed class DenseLinear
{
    private readonly DenseWeight _weight;
    private readonly float[] _bias;

    /// <summary>A layer of a weight [N, K] and N biases, or none.</summary>
    public DenseLinear(DenseWeight weight, float[] bias) => (_weight, _bias) = (weight, bias);

    /// <summary>N, the number of output features.</summary>
    public int Outputs => _weight.Outputs;

    /// <summary>Reads a layer; a convolution's trailing extents count as one.</summary>
    /// <param name="source">Is not kept.</param>
    /// <param name="layer">Name and extents.</param>
    /// <param name="prefix">What precedes the name.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DenseLinear Read(ITensorSource source, LinearDescription layer, string prefix = "")
        => new(source.ReadDense(prefix + layer.Name + ".weight", layer.Outputs, layer.Inputs), source.ReadBias(layer, prefix));

    /// <summary>Reads layers that are stored as one, [ΣN, K].</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DenseLinear[] ReadFused(ITensorSource source, string name, IReadOnlyList<LinearDescription> parts)
    {
        var (outputs, inputs) = (parts.Sum(part => part.Outputs), parts[0].Inputs);
        var tensor = source.FindMatrix(name + ".weight", outputs, inputs);
        var biases = source.ReadBias(parts[0] with { Name = name, Outputs = outputs });
        var weights = tensor.Type == DataType.BF16 ? null : source.ReadMatrix(tensor.Name, outputs, inputs);
        if (weights is null)
        {
            source.RequireFinite(tensor);
        }

        var (layers, first) = (new DenseLinear[parts.Count], 0);
        for (var part = 0; part < layers.Length; part++)
        {
            var (start, size) = (first * inputs, parts[part].Outputs * inputs);
            var weight = weights is null
                ? DenseWeight.FromBFloat16(source.Bytes(tensor.Name).Span.Slice(start * sizeof(ushort), size * sizeof(ushort)), parts[part].Outputs, inputs)
                : DenseWeight.FromFloats(new Matrix(parts[part].Outputs, inputs, weights.Span.Slice(start, size).ToArray()));
            layers[part] = new DenseLinear(weight, biases.Length == 0 ? [] : biases.AsSpan(first, parts[part].Outputs).ToArray());
            first += parts[part].Outputs;
        }

        source.Discard(tensor.Name);
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
