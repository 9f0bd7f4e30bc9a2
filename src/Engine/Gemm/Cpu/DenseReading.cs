using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Reads full-precision weights for <see cref="FloatGemm"/>.</summary>
public static class DenseReading
{
    /// <summary>A weight W[N, K], which memory then holds once: the pages that it was read from are given back; trailing extents that multiply to <paramref name="inputs"/> (a convolution's) count as one.</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type, MASQ0109 not finite.</exception>
    public static DenseWeight ReadDense(this ITensorSource source, string name, int outputs, int inputs)
    {
        var tensor = source.FindMatrix(name, outputs, inputs);
        if (tensor.Type != DataType.BF16)
        {
            return DenseWeight.FromFloats(source.ReadMatrix(name, outputs, inputs));
        }

        source.RequireFinite(tensor);
        var weight = DenseWeight.FromBFloat16(TensorRows.Of(source, tensor), outputs, inputs);
        source.Discard(name);
        return weight;
    }
}
