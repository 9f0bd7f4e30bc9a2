using System.Runtime.InteropServices;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Weights;

/// <summary>A matrix beside the decoder's blocks as codes: rows are rotated, and every value takes its row's nearest code. Rows stream: a part of the matrix is in memory at a time.</summary>
public static class CodedPart
{
    // Whole panels, as many as keep every thread at work.
    private const int RowsAtOnce = 64 * PackingLayout.PanelOutputs;

    private static readonly RtnQuantizer Quantizer = new();

    /// <summary>The codes, the scales and the rotation of a matrix, which are computed when they are written.</summary>
    /// <param name="source">Has the matrix in full precision.</param>
    /// <param name="tensor">[N, K]; trailing extents count as one.</param>
    /// <param name="name">The matrix's name; null: the tensor's.</param>
    /// <param name="scheme">Bits of the codes; null: 8.</param>
    public static IReadOnlyList<TensorPayload> Payloads(ITensorSource source, TensorInfo tensor, string? name = null, QuantizationScheme? scheme = null)
    {
        name ??= tensor.Name;
        var kind = scheme ?? QuantizationScheme.W8A8;
        var (outputs, inputs) = (tensor.Shape[0], checked((int)(tensor.Count / tensor.Shape[0])));
        return
        [
            new(new TensorInfo(CodedMatrix.Codes(name), DataType.U8, CodedMatrix.CodesShape(outputs, inputs, kind.WeightBits)), stream =>
            {
                foreach (var part in Parts(source, tensor, inputs, kind))
                {
                    stream.Write(part.Pack().Codes.Span);
                }
            }),
            new(new TensorInfo(CodedMatrix.Scales(name), DataType.F32, [CodedMatrix.PaddedOutputs(outputs)]), stream =>
            {
                foreach (var part in Parts(source, tensor, inputs, kind))
                {
                    stream.Write(MemoryMarshal.AsBytes<float>(part.Scales));
                }
            }),
            TensorPayload.OfBytes(CodedMatrix.Rotation(name), DataType.U8, new[] { (byte)int.Log2(BlockOf(inputs)) }, 1),
        ];
    }

    private static int BlockOf(int inputs) => BlockHadamard.LargestBlock(CodedMatrix.PaddedInputs(inputs));

    // Rows and columns beyond the matrix are zeros.
    private static IEnumerable<WeightCodes> Parts(ITensorSource source, TensorInfo tensor, int inputs, QuantizationScheme scheme)
    {
        source.RequireReadable(tensor);
        var rows = TensorRows.Of(source, tensor);
        for (var first = 0; first < tensor.Shape[0]; first += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, tensor.Shape[0] - first);
            var part = new Matrix(CodedMatrix.PaddedOutputs(count), CodedMatrix.PaddedInputs(inputs));
            for (var row = 0; row < count; row++)
            {
                TensorReading.Widen(rows.Row(first + row), tensor.Type, part.Row(row)[..inputs]);
            }

            BlockHadamard.Apply(part, BlockOf(inputs));
            yield return Quantizer.Quantize(part, scheme);
        }
    }
}
