using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>Matrices at 8 bits beside the decoder's blocks, of which neither extent fills a panel.</summary>
public sealed class CodedMatrixTests : IDisposable
{
    private const int Outputs = 37;
    private const int Inputs = 21;
    private const int PaddedOutputs = 48;
    private const int PaddedInputs = 24;
    private const int Block = 8;

    private readonly TemporaryDirectory _folder = new();
    private readonly sbyte[] _codes = new RandomValues(1).Codes(PaddedOutputs * PaddedInputs, -127, 127);
    private readonly float[] _scales = [.. new RandomValues(2).Array(PaddedOutputs).Select(value => 0.01f + MathF.Abs(value))];

    public void Dispose() => _folder.Dispose();

    /// <summary>A row is (codes · scale)·H. H of 8 values takes 3 additions and a product beside that with the scale: 5 roundings of 2⁻²⁴ of the values' sum over √8, and one to BF16, 2⁻⁸ of the value at most.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(Block)]
    public void A_row_is_what_its_codes_stand_for(int block)
    {
        using var file = Write(block);
        var matrix = CodedMatrix.TryRead(file, "a.weight", Outputs, Inputs)!;
        var row = new float[Inputs];
        for (var n = 0; n < Outputs; n++)
        {
            CodedRows.Read(matrix, n, row);
            var exact = Exact(n, block);
            for (var k = 0; k < Inputs; k++)
            {
                var sum = Enumerable.Range(k / Block * Block, Block).Sum(i => Math.Abs(_codes[(n * PaddedInputs) + i] * (double)_scales[n]));
                Assert.InRange(row[k], exact[k] - Bound(exact[k], sum), exact[k] + Bound(exact[k], sum));
                Assert.Equal(row[k], BFloat16.ToSingle(BFloat16.FromSingle(row[k])));
            }
        }

        Assert.Equal(CodedRows.ToBFloat16(matrix, 3, 1, Inputs), RowBytes(matrix, 3));

        static double Bound(double value, double sum) => (Math.Abs(value) * Math.Pow(2, -8)) + (5 * Math.Pow(2, -24) * sum);
    }

    /// <summary>What fills up is zeros: it takes no part in the product, whose definition is the scalar backend's.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(Block)]
    public void A_product_is_that_of_the_filled_up_matrix(int block)
    {
        using var file = Write(block);
        var layers = new ProjectStep([new LinearDescription("a", Outputs, Inputs), new LinearDescription("b", Outputs, Inputs)]);
        var x = new RandomValues(3).Matrix(5, Inputs);
        Matrix[] actual = [new(5, Outputs), new(5, Outputs)];
        var group = new CodedLinears(file).TryRead(layers, "")!;
        group.Forward(new RandomValues(6).Matrix(7, Inputs), ModalityMap.Text(7), [new Matrix(7, Outputs), new Matrix(7, Outputs)]); // Leaves its values in memory that is used again.
        group.Forward(x, ModalityMap.Text(0), actual);

        var filled = new Matrix(5, PaddedInputs);
        for (var t = 0; t < 5; t++)
        {
            x.Row(t).CopyTo(filled.Row(t));
        }

        var weight = CodedMatrix.TryRead(file, "a.weight", Outputs, Inputs)!.Weight with { Bias = new float[PaddedOutputs] };
        var expected = new Matrix(5, PaddedOutputs);
        new QuantizedLinearGroup([weight], InputTransform.None with { RotationBlock = block }, new ScalarGemmBackend()).Forward(filled, ModalityMap.Text(5), [expected]);
        var bias = file.ReadFloats("b.bias", Outputs);
        for (var t = 0; t < 5; t++)
        {
            Assert.Equal(expected.Row(t)[..Outputs].ToArray(), actual[0].Row(t).ToArray());
            Assert.Equal(expected.Row(t)[..Outputs].ToArray().Zip(bias, (y, b) => y + b), actual[1].Row(t).ToArray());
        }
    }

    [Fact]
    public void Layers_stored_as_one_are_its_parts()
    {
        using var file = Write(Block);
        var (parts, x) = (new ProjectStep([new LinearDescription("q", 16, Inputs), new LinearDescription("k", 32, Inputs)]) { FusedName = "whole" }, new RandomValues(4).Matrix(3, Inputs));
        Matrix[] actual = [new(3, 16), new(3, 32)];
        new CodedLinears(file).TryRead(parts, "")!.Forward(x, ModalityMap.Text(3), actual);
        var whole = new Matrix(3, PaddedOutputs);
        new CodedLinears(file).TryRead(new ProjectStep([new LinearDescription("whole", PaddedOutputs, Inputs)]), "")!.Forward(x, ModalityMap.Text(3), [whole]);
        for (var t = 0; t < 3; t++)
        {
            Assert.Equal(whole.Row(t).ToArray(), (float[])[.. actual[0].Row(t), .. actual[1].Row(t)]);
        }
    }

    [Fact]
    public void What_is_not_there_at_8_bits_is_left_to_others()
    {
        using var file = Write(Block);
        Assert.Null(CodedMatrix.TryRead(file, "plain.weight", 16, 8));
        Assert.Null(new CodedLinears(file).TryRead(new ProjectStep([new LinearDescription("plain", 16, 8)]), ""));
        Assert.True(file.Has("plain.weight"));
        Assert.True(file.Has("a.weight"));
        Assert.False(file.Has("c.weight"));
    }

    [Theory]
    [InlineData("a", Outputs + 16, Inputs)]
    [InlineData("a", Outputs, Inputs + 8)]
    [InlineData("rotated", 16, 8)]
    [InlineData("typed", 16, 8)]
    public void What_does_not_fit_the_model_is_refused(string name, int outputs, int inputs)
    {
        using var file = Write(Block);
        Assert.Equal(DiagnosticCodes.ArtifactInvalid, Assert.Throws<MASQuantException>(() => CodedMatrix.TryRead(file, name + ".weight", outputs, inputs)).Code);
    }

    [Fact]
    public void Scales_must_be_there_and_finite()
    {
        using var file = Write(Block);
        Assert.Equal(DiagnosticCodes.TensorMissing, Assert.Throws<MASQuantException>(() => CodedMatrix.TryRead(file, "unscaled.weight", 16, 8)).Code);
        Assert.Equal(DiagnosticCodes.TensorNotFinite, Assert.Throws<MASQuantException>(() => CodedMatrix.TryRead(file, "infinite.weight", 16, 8)).Code);
    }

    [Fact]
    public void Parts_must_have_whole_panels_and_one_rotation()
    {
        using var file = Write(Block);
        var linears = new CodedLinears(file);
        var apart = new ProjectStep([new LinearDescription("q", 8, Inputs), new LinearDescription("k", 40, Inputs)]) { FusedName = "whole" };
        var unlike = new ProjectStep([new LinearDescription("a", Outputs, Inputs), new LinearDescription("plainly", Outputs, Inputs)]);
        Assert.Equal(DiagnosticCodes.ArtifactInvalid, Assert.Throws<MASQuantException>(() => linears.TryRead(apart, "")).Code);
        Assert.Equal(DiagnosticCodes.ArtifactInvalid, Assert.Throws<MASQuantException>(() => linears.TryRead(unlike, "")).Code);
    }

    private static byte[] RowBytes(CodedMatrix matrix, int n)
    {
        var (row, bytes) = (new float[Inputs], new ushort[Inputs]);
        CodedRows.Read(matrix, n, row);
        BFloat16.Narrow(row, bytes);
        return System.Runtime.InteropServices.MemoryMarshal.AsBytes<ushort>(bytes).ToArray();
    }

    // In FP64, from the definition: H[i, j] = (−1)^popcount(i & j) / √block.
    private double[] Exact(int n, int block)
    {
        var stored = Enumerable.Range(0, PaddedInputs).Select(k => _codes[(n * PaddedInputs) + k] * (double)_scales[n]).ToArray();
        return block == 0 ? stored : [.. Enumerable.Range(0, PaddedInputs).Select(k => Enumerable.Range(k / block * block, block).Sum(i => stored[i] * (int.PopCount((i % block) & (k % block)) % 2 == 0 ? 1 : -1)) / Math.Sqrt(block))];
    }

    private SafetensorsFile Write(int block)
    {
        var path = _folder.File($"codes-{block}");
        var (packed, bias) = (CodePacking.Pack(_codes, PaddedOutputs, PaddedInputs, 8), new RandomValues(5).Array(Outputs));
        TensorPayload Codes(string name) => TensorPayload.OfBytes(name + ".codes", DataType.U8, packed, 3, 6, 16, 4);
        TensorPayload Scales(string name) => TensorPayload.OfFloats(name + ".scales", _scales, PaddedOutputs);
        TensorPayload Rotation(string name, byte exponent) => TensorPayload.OfBytes(name + ".rotation", DataType.U8, new[] { exponent }, 1);
        TensorPayload Small(string name, DataType type) => TensorPayload.OfBytes(name + ".codes", type, new byte[128], 1, 2, 16, 4);
        TensorPayload SmallScales(string name, float first) => TensorPayload.OfFloats(name + ".scales", (float[])[first, .. new float[15]], 16);
        string[] whole = ["a", "b", "whole"];
        IEnumerable<TensorPayload> tensors =
        [
            .. whole.SelectMany(name => new[] { Codes(name), Scales(name) }), Codes("plainly"), Scales("plainly"), TensorPayload.OfFloats("b.bias", bias, Outputs),
            .. block == 0 ? [] : whole.Select(name => Rotation(name, (byte)int.Log2(block))),
            Small("rotated", DataType.U8), SmallScales("rotated", 1), Rotation("rotated", 4), Small("typed", DataType.I8), SmallScales("typed", 1),
            Small("unscaled", DataType.U8), Small("infinite", DataType.U8), SmallScales("infinite", float.PositiveInfinity), TensorPayload.OfFloats("plain.weight", new float[128], 16, 8),
        ];
        SafetensorsWriter.Write(path, tensors);
        return SafetensorsFile.Open(path);
    }
}
