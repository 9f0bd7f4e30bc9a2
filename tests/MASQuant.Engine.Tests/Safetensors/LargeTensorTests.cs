using System.Buffers.Binary;
using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

/// <summary>A tensor of more than 2 GiB, as Qwen2.5-VL-72B's embedding, is read in pieces.</summary>
public sealed class LargeTensorTests : IDisposable
{
    private const int Rows = 152064;
    private const int Columns = 8192;
    private const long Bytes = (long)Rows * Columns * sizeof(ushort);

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void Its_last_rows_are_looked_up()
    {
        using var file = Open(BFloat16.FromSingle(3));
        var config = TestDecoder(file);
        var embedding = TokenEmbedding.Of(file, config);
        var found = new Matrix(2, Columns);
        embedding.Lookup([Rows - 1, Rows - 2], found);
        Assert.Equal((3f, 0f, 0f), (found[0, Columns - 1], found[0, 0], found[1, Columns - 1]));
    }

    [SkippableFact]
    public void A_value_that_is_not_finite_is_named_where_it_stands()
    {
        using var file = Open(0x7FC0);
        var refusal = Assert.Throws<MASQuantException>(() => file.RequireFinite(file.Find("model.embed_tokens.weight")));
        Assert.Equal(DiagnosticCodes.TensorNotFinite, refusal.Code);
        Assert.Contains($"at element {((long)Rows * Columns) - 1}.", refusal.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void It_is_compared_to_its_end()
    {
        using var file = Open(1, isTwice: true);
        Assert.True(file.AreEqual("model.embed_tokens.weight", "model.embed_tokens.weight"));
        Assert.False(file.AreEqual("model.embed_tokens.weight", "other"));
    }

    [SkippableFact]
    public void Its_bytes_are_asked_for_in_parts()
    {
        using var file = Open(BFloat16.FromSingle(3));
        Assert.Equal(Bytes, file.Find("model.embed_tokens.weight").Bytes);
        Assert.Equal([0x40, 0x40], file.Bytes("model.embed_tokens.weight", Bytes - 2, 2).ToArray());
        Assert.Throws<OverflowException>(() => file.Bytes("model.embed_tokens.weight"));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes("model.embed_tokens.weight", Bytes - 2, 3));
    }

    /// <summary>Pieces of 64 rows pack to the same weight as the whole: the last is shorter, and ends within a panel.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(150)]
    [InlineData(7)]
    public void Pieces_pack_as_the_whole_does(int rows)
    {
        var random = new Random(rows);
        var values = new float[rows * 24];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle();
        }

        SafetensorsWriter.Write(_folder.File("rows"), [TensorPayload.OfBFloat16("w", values, rows, 24)]);
        using var file = SafetensorsFile.Open(_folder.File("rows"));
        var pieces = TensorRows.Of(file, file.Find("w"), maxPieceBytes: 1);
        Assert.Equal((rows + 63) / 64, pieces.Pieces.Count);
        Assert.Equal(file.Bytes("w", (rows - 1) * 48L, 48).ToArray(), pieces.Row(rows - 1).ToArray());
        Assert.Equal(DenseWeight.FromBFloat16(file.Bytes("w").Span, rows, 24).ToMatrix().Span.ToArray(), DenseWeight.FromBFloat16(pieces, rows, 24).ToMatrix().Span.ToArray());
    }

    private static MASQuant.Formats.Models.DecoderDescription TestDecoder(SafetensorsFile file)
    {
        var tensor = file.Find("model.embed_tokens.weight");
        var config = Models.TinyConfigs.VL.Text with { VocabularySize = tensor.Shape[0], HiddenSize = tensor.Shape[1] };
        return MASQuant.Formats.Models.Qwen25.Qwen25Decoder.Describe(config);
    }

    private SafetensorsFile Open(ushort last, bool isTwice = false)
    {
        Skip.If(OperatingSystem.IsWindows(), "The file would not be sparse.");
        var path = _folder.File("large.safetensors");
        var header = Encoding.UTF8.GetBytes($$"""{"model.embed_tokens.weight":{{Entry(0)}}{{(isTwice ? $",\"other\":{Entry(1)}" : "")}}}""");
        using (var stream = File.Create(path))
        {
            Span<byte> number = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(number, header.Length);
            stream.Write(number);
            stream.Write(header);
            stream.SetLength(8 + header.Length + (isTwice ? 2 * Bytes : Bytes));
            stream.Position = 8 + header.Length + Bytes - 2;
            BinaryPrimitives.WriteUInt16LittleEndian(number, last);
            stream.Write(number[..2]);
        }

        return SafetensorsFile.Open(path);
    }

    private static string Entry(int index) => $$"""{"dtype":"BF16","shape":[{{Rows}},{{Columns}}],"data_offsets":[{{index * Bytes}},{{(index + 1) * Bytes}}]}""";
}
