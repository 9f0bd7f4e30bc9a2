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
    /// <param name="ranks">The ranks of all patches together.</param>
    /// <param name="bias">The element type of the bias; null for none.</param>
    public static long OfLinear(int outputs, int inputs, QuantizationScheme scheme, bool hasGroupScales, long ranks, DataType? bias)
        => Of(DataType.U8, LayerTensors.CodesShape(outputs, inputs, scheme))
            + Of(DataType.F32, LayerTensors.ScalesShape(outputs, inputs, scheme))
            + (scheme.HasZeroPoints ? Of(DataType.U8, LayerTensors.ScalesShape(outputs, inputs, scheme)) : 0)
            + (hasGroupScales ? Of(DataType.U8, LayerTensors.GroupScalesShape(outputs, inputs)) : 0)
            + (bias is { } type ? Of(type, [outputs]) : 0)
            + (ranks * (Of(DataType.F16, [outputs]) + Of(DataType.F16, [inputs])));

    /// <summary>What an input group with K inputs does to them: a smoothing factor for every modality that there is, whether the model has it or not, the rotation and the clips.</summary>
    /// <param name="inputs">K.</param>
    /// <param name="isRotated">Whether they are rotated.</param>
    /// <param name="isClipped">Whether the ranges of their codes are clipped.</param>
    public static long OfInput(int inputs, bool isRotated, bool isClipped)
        => Of(DataType.F32, [ModalityMap.ModalityCount, inputs]) + (isRotated ? Of(DataType.U8, [1]) : 0) + (isClipped ? Of(DataType.F32, [ModalityMap.ModalityCount]) : 0);

    private static long Of(DataType type, int[] shape) => shape.Aggregate((long)type.ByteSize(), (bytes, extent) => checked(bytes * extent));
}
