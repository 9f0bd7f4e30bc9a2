using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class TensorReadingTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(DataType.F32)]
    [InlineData(DataType.F16)]
    [InlineData(DataType.BF16)]
    public void Each_float_type_reads_as_the_values_it_stores(DataType type)
    {
        // Small integers are exact in every type.
        var values = Enumerable.Range(-64, 130).Select(i => (float)i).ToArray();
        using var file = Open(type, values, 13, 10);
        Assert.Equal(values, file.ReadFloats("w", 13, 10));
        Assert.Equal(values, file.ReadMatrix("w", 13, 10).Span.ToArray());
        Assert.Equal(values, file.ReadDense("w", 13, 10).ToMatrix().Span.ToArray());
    }

    [Fact]
    public void A_convolution_reads_as_a_matrix()
    {
        using var file = Open(DataType.BF16, new float[24], 2, 3, 4);
        Assert.Equal(12, file.ReadDense("w", 2, 12).Inputs);
        Assert.Equal(DiagnosticCodes.TensorMismatch, Assert.Throws<MASQuantException>(() => file.ReadMatrix("w", 3, 8)).Code);
        Assert.Equal(DiagnosticCodes.TensorMismatch, Assert.Throws<MASQuantException>(() => file.ReadFloats("w", 2, 12)).Code);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        using var file = Open(DataType.F32, new float[1], 1);
        var error = Assert.Throws<MASQuantException>(() => file.ReadFloats("absent", 1));
        Assert.Equal(DiagnosticCodes.TensorMissing, error.Code);
        Assert.Contains("'absent'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Integers_are_no_weights()
    {
        SafetensorsWriter.Write(_folder.File("m"), [TensorPayload.OfBytes("w", DataType.U8, new byte[2], 2)]);
        using var file = SafetensorsFile.Open(_folder.File("m"));
        Assert.Equal(DiagnosticCodes.TensorMismatch, Assert.Throws<MASQuantException>(() => file.ReadFloats("w", 2)).Code);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_found_wherever_it_stands()
    {
        foreach (var type in new[] { DataType.F32, DataType.F16, DataType.BF16 })
        {
            foreach (var bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                foreach (var position in new[] { 0, 31, 32, 95, 99 })
                {
                    var values = Enumerable.Repeat(-65504f, 100).ToArray(); // Almost all exponent bits set, F16's largest.
                    values[position] = bad;
                    using var file = Open(type, values, 10, 10);
                    foreach (var read in new Action[] { () => file.ReadFloats("w", 10, 10), () => file.ReadDense("w", 10, 10), () => file.RequireFinite() })
                    {
                        var error = Assert.Throws<MASQuantException>(read);
                        Assert.Equal(DiagnosticCodes.TensorNotFinite, error.Code);
                        Assert.Contains($"element {position}.", error.Message, StringComparison.Ordinal);
                    }
                }
            }
        }
    }

    [Fact]
    public void A_disposed_file_refuses_its_memory()
    {
        var file = Open(DataType.F32, new float[4], 4);
        var memory = file.Bytes("w");
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Span[0]);
        Assert.Throws<ObjectDisposedException>(() => file.Bytes("w"));
    }

    private SafetensorsFile Open(DataType type, float[] values, params int[] shape)
    {
        var payload = type switch
        {
            DataType.F32 => TensorPayload.OfFloats("w", values, shape),
            DataType.BF16 => TensorPayload.OfBFloat16("w", values, shape),
            _ => TensorPayload.OfBytes("w", DataType.F16, System.Runtime.InteropServices.MemoryMarshal.AsBytes<Half>(values.Select(v => (Half)v).ToArray()).ToArray(), shape),
        };
        SafetensorsWriter.Write(_folder.File("m"), [payload]);
        return SafetensorsFile.Open(_folder.File("m"));
    }
}
