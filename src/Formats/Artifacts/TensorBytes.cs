using MASQuant.Formats.Safetensors;

namespace MASQuant.Formats.Artifacts;

/// <summary>The bytes of a quantized layer's tensors, before they are written.</summary>
public static class TensorBytes
{
    /// <summary>The tensors of a linear layer [N, K].</summary>
    /// <param name="outputs">N.</param>
    /// <param name="inputs">K.</param>
    /// <param name="scheme">The scheme.</param>
    /// <param name="hasGroupScales">Whether there are second-level scales.</param>
    /// <param name="isRotated">Whether the inputs are rotated.</param>
    /// <param name="ranks">The ranks of all patches together.</param>
    /// <param name="bias">The element type of the bias; null for none.</param>
    public static long OfLinear(int outputs, int inputs, QuantizationScheme scheme, bool hasGroupScales, bool isRotated, long ranks, DataType? bias)
        => Of(DataType.U8, LayerTensors.CodesShape(outputs, inputs, scheme))
            + Of(DataType.F32, LayerTensors.ScalesShape(outputs, inputs, scheme))
            + (scheme.HasZeroPoints ? Of(DataType.U8, LayerTensors.ScalesShape(outputs, inputs, scheme)) : 0)
            + (hasGroupScales ? Of(DataType.U8, LayerTensors.GroupScalesShape(outputs, inputs)) : 0)
            + (isRotated ? Of(DataType.U8, [1]) : 0)
            + (bias is { } type ? Of(type, [outputs]) : 0)
            + (ranks * (Of(DataType.BF16, [outputs]) + Of(DataType.BF16, [inputs])));

    /// <summary>The smoothing factors of an input group with K inputs: one for every modality that there is, whether the model has it or not.</summary>
    public static long OfSmoothing(int inputs) => Of(DataType.F32, [ModalityMap.ModalityCount, inputs]);

    private static long Of(DataType type, int[] shape) => shape.Aggregate((long)type.ByteSize(), (bytes, extent) => checked(bytes * extent));
}
