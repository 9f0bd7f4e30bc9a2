using System.Runtime.InteropServices;
using MASQuant.Tensors;

namespace MASQuant.Gemm;

/// <summary>A full-precision weight W[N, K] prepared for <see cref="FloatGemm"/>.</summary>
public sealed class DenseWeight
{
    private DenseWeight(Matrix values) => Values = values;

    /// <summary>N, the number of output features.</summary>
    public int Outputs => Values.Rows;

    /// <summary>K, the number of input features.</summary>
    public int Inputs => Values.Columns;

    internal Matrix Values { get; }

    /// <summary>Prepares FP32 values, [N, K].</summary>
    public static DenseWeight FromFloats(Matrix weight) => new(weight);

    /// <summary>Prepares BF16 values, row-major [N, K].</summary>
    public static DenseWeight FromBFloat16(ReadOnlySpan<byte> weight, int outputs, int inputs)
    {
        var values = new Matrix(outputs, inputs);
        var halves = MemoryMarshal.Cast<byte, ushort>(weight);
        for (var i = 0; i < values.Span.Length; i++)
        {
            values.Data[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
        }

        return new DenseWeight(values);
    }
}
