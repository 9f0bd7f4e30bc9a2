using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Weights;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Weights;

/// <summary>What is written of a matrix at 8 bits stands for the matrix.</summary>
public sealed class CodedPartTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Rotated, a value is at most half a step of absmax/127 off, and a rotation keeps the norm: √K · step/2 for a row, and no row's largest value is above its norm. BF16 adds 2⁻⁸ of each value at most, and FP32 less than a tenth of that.</summary>
    [Theory]
    [InlineData("BF16", 40, 24)]
    [InlineData("F32", 37, 21)]
    [InlineData("F16", 2067, 8)]
    public void A_row_is_within_half_a_step_of_its_largest_value(string type, int rows, int columns)
    {
        var random = new Random(rows);
        var values = Enumerable.Range(0, rows * columns).Select(i => i / columns == 3 ? 0 : (float)(BitConverter.UInt16BitsToHalf((ushort)(BitConverter.HalfToUInt16Bits((Half)((random.NextSingle() - 0.5f) * (1 + (i / columns)))) & 0xFFF0)))).ToArray();
        var source = Write("source", type switch
        {
            "F32" => TensorPayload.OfFloats("a.weight", values, rows, columns),
            "F16" => TensorPayload.OfFloat16("a.weight", values, rows, columns),
            _ => TensorPayload.OfBFloat16("a.weight", values, rows, columns),
        });
        var coded = Write("coded", [.. CodedPart.Payloads(source, source.Find("a.weight"))]);
        Assert.Equal(CodedMatrix.Bytes(rows, columns), coded.Tensors.Sum(tensor => tensor.Bytes));
        var matrix = CodedMatrix.TryRead(coded, "a.weight", rows, columns)!;
        var (row, exact) = (new float[columns], source.ReadMatrix("a.weight", rows, columns));
        for (var n = 0; n < rows; n++)
        {
            CodedRows.Read(matrix, n, row);
            var (norm, error) = (Norm(exact.Row(n).ToArray()), Norm([.. row.Zip(exact.Row(n).ToArray(), (a, b) => a - b)]));
            var step = matrix.Weight.Scales.Span[n];
            Assert.True(norm == 0 || step <= norm / 127 * 1.0001, $"row {n}: step {step} of a norm of {norm}");
            Assert.InRange(error, 0, (Math.Sqrt(matrix.Weight.Inputs) * step / 2 * (norm == 0 ? 0 : 1)) + (1.1 * Math.Pow(2, -8) * norm));
        }

        source.Dispose();
        coded.Dispose();
    }

    /// <summary>As above, without BF16: half a step of absmax/7.</summary>
    [Theory]
    [InlineData(40, 24)]
    [InlineData(37, 21)]
    public void A_row_of_4_bits_is_within_half_a_step_too(int rows, int columns)
    {
        var random = new Random(rows);
        using var source = Write("source", TensorPayload.OfFloats("a.weight", Enumerable.Range(0, rows * columns).Select(i => random.NextSingle() - 0.5f).ToArray(), rows, columns));
        using var coded = Write("coded", [.. CodedPart.Payloads(source, source.Find("a.weight"), "b.weight", QuantizationScheme.W4A8)]);
        Assert.Equal(CodedMatrix.Bytes(rows, columns, 4), coded.Tensors.Sum(tensor => tensor.Bytes));
        var (weight, block) = CodedMatrix.TryRead(coded, "b.weight", rows, columns, 4)!;
        var (codes, exact) = (PackingLayout.Unpack(weight.Codes.Span, weight.Outputs, weight.Inputs, 4), source.ReadMatrix("a.weight", rows, columns));
        for (var n = 0; n < rows; n++)
        {
            var step = weight.Scales.Span[n];
            float[] row = [.. codes.AsSpan(n * weight.Inputs, weight.Inputs).ToArray().Select(code => code * step)];
            BlockHadamard.Apply(row, block);
            var norm = Norm(exact.Row(n).ToArray());
            Assert.InRange(step, 0, norm / 7 * 1.0001);
            Assert.InRange(Norm([.. row[..columns].Zip(exact.Row(n).ToArray(), (a, b) => a - b)]), 0, (Math.Sqrt(weight.Inputs) * step / 2) + (1e-4 * norm)); // FP32's roundings are below 10⁻⁴ of the norm.
        }
    }

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));

    private SafetensorsFile Write(string name, params TensorPayload[] tensors)
    {
        SafetensorsWriter.Write(_folder.File(name), tensors);
        return SafetensorsFile.Open(_folder.File(name));
    }
}
