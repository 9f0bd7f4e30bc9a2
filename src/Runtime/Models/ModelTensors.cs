using System.Runtime.InteropServices;
using MASQuant.Diagnostics;
using MASQuant.Gemm;
using MASQuant.Safetensors;
using MASQuant.Tensors;

namespace MASQuant.Models;

/// <summary>Reads weights out of a tensor source, checking each against the shape that the configuration calls for.</summary>
public static class ModelTensors
{
    /// <summary>A vector of <paramref name="length"/> values as FP32.</summary>
    /// <exception cref="MasQuantException">MASQ0922: missing, of another shape, or no floating-point type.</exception>
    public static float[] ReadVector(this ITensorSource source, string name, int length)
    {
        var values = new float[length];
        Convert(source, source.Require(name, length), values);
        return values;
    }

    /// <summary>A matrix [<paramref name="rows"/>, <paramref name="columns"/>] as FP32; a tensor of more dimensions is flattened after the first.</summary>
    /// <exception cref="MasQuantException">MASQ0922: missing, of another shape, or no floating-point type.</exception>
    public static Matrix ReadMatrix(this ITensorSource source, string name, int rows, int columns)
    {
        var matrix = new Matrix(rows, columns);
        Convert(source, source.Require(name, rows, columns), matrix.Data);
        return matrix;
    }

    /// <summary>A weight [<paramref name="outputs"/>, <paramref name="inputs"/>] prepared for the FP32 GEMM; a tensor of more dimensions is flattened after the first.</summary>
    /// <exception cref="MasQuantException">MASQ0922: missing, of another shape, or no floating-point type.</exception>
    public static DenseWeight ReadDense(this ITensorSource source, string name, int outputs, int inputs)
        => source.Require(name, outputs, inputs).Type == DataType.BF16
            ? DenseWeight.FromBFloat16(source.Bytes(name).Span, outputs, inputs)
            : DenseWeight.FromFloats(source.ReadMatrix(name, outputs, inputs));

    /// <summary>Describes a tensor that must exist with this shape: the first extent equal, the others equal or their product.</summary>
    internal static TensorInfo Require(this ITensorSource source, string name, params ReadOnlySpan<int> shape)
    {
        if (!source.TryGet(name, out var tensor))
        {
            throw new MasQuantException(DiagnosticCodes.UnusableTensor, source.Path,
                $"Tensor '{name}' is missing. Take every shard and config.json from the same revision of the checkpoint.");
        }

        var count = 1L;
        foreach (var extent in shape)
        {
            count *= extent;
        }

        if (tensor.Shape.Count < shape.Length || tensor.Shape[0] != shape[0] || tensor.Count != count)
        {
            throw new MasQuantException(DiagnosticCodes.UnusableTensor, source.Path,
                $"Tensor '{name}' has shape [{string.Join(", ", tensor.Shape)}]; config.json calls for [{string.Join(", ", shape.ToArray())}]. Take both from the same revision of the checkpoint.");
        }

        return tensor;
    }

    /// <summary>Converts BF16, F16 or F32 bytes to FP32, exactly.</summary>
    internal static void Convert(ReadOnlySpan<byte> bytes, DataType type, Span<float> values)
    {
        switch (type)
        {
            case DataType.F32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
                break;
            case DataType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (float)halves[i];
                }

                break;
            case DataType.BF16:
                var upper = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                }

                break;
            default:
                throw new NotSupportedException();
        }
    }

    private static void Convert(ITensorSource source, TensorInfo tensor, Span<float> values)
    {
        if (tensor.Type is not (DataType.BF16 or DataType.F16 or DataType.F32))
        {
            throw new MasQuantException(DiagnosticCodes.UnusableTensor, source.Path,
                $"Tensor '{tensor.Name}' holds {tensor.Type} values; weights are BF16, F16 or F32. Convert the checkpoint.");
        }

        Convert(source.Bytes(tensor.Name).Span, tensor.Type, values);
    }
}
