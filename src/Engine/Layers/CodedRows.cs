using System.Runtime.InteropServices;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>The values of a matrix at 8 bits, rounded to BF16: what every execution looks up, or multiplies where it has no product of codes.</summary>
public static class CodedRows
{
    /// <summary>One row.</summary>
    /// <param name="matrix">[N, K].</param>
    /// <param name="row">The row.</param>
    /// <param name="values">K values, overwritten.</param>
    public static void Read(CodedMatrix matrix, int row, Span<float> values)
    {
        var weight = matrix.Weight;
        var whole = values.Length == weight.Inputs ? values : new float[weight.Inputs];
        var codes = weight.Codes.Span;
        var scale = weight.Scales.Span[row];
        for (var k = 0; k < whole.Length; k++)
        {
            whole[k] = (sbyte)codes[PackingLayout.ByteIndex8(row, k, weight.Inputs)] * scale;
        }

        BlockHadamard.Apply(whole, matrix.RotationBlock); // H is its own inverse.
        if (whole != values)
        {
            whole[..values.Length].CopyTo(values);
        }

        BFloat16.Round(values);
    }

    /// <summary>Rows as BF16 bytes, row-major, little-endian; of less than 2 GiB.</summary>
    /// <param name="matrix">[N, K].</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">The rows.</param>
    /// <param name="inputs">K.</param>
    public static byte[] ToBFloat16(CodedMatrix matrix, int first, int count, int inputs)
    {
        var bytes = LargeArray.Uninitialized<byte>(checked(count * inputs * sizeof(ushort)));
        Workers.For(count, row =>
        {
            var values = new float[inputs];
            Read(matrix, first + row, values);
            BFloat16.Narrow(values, MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan(row * inputs * sizeof(ushort), inputs * sizeof(ushort))));
        });
        return bytes;
    }
}
