using System.Buffers.Binary;
using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

/// <summary>The attack list of the format, one file each.</summary>
public sealed class HeaderAttackTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_well_formed_file_of_the_same_making_opens()
    {
        using var file = SafetensorsFile.Open(Make("""{"__metadata__":{"k":"v"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[],"data_offsets":[2,4]}}   """, 4));
        Assert.Equal(["a", "b"], file.Tensors.Select(t => t.Name));
        Assert.Equal("v", file.Metadata["k"]);
        Assert.Equal(2, file.Bytes("b").Length);
    }

    [Theory]
    [InlineData("""[{"a":1}]""", 0, "start with '{'")]
    [InlineData(""" {}""", 0, "start with '{'")]
    [InlineData("", 0, "start with '{'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}""", 0, "not valid JSON")]
    [InlineData("""{} {}""", 0, "JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "not valid JSON")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "map of strings")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 3, "belong to none")]
    [InlineData("""{"a":{"dtype":[[[[[[]]]]]],"shape":[2],"data_offsets":[0,2]}}""", 2, "'a'", DiagnosticCodes.SafetensorsTensorInvalid)]
    public void A_malformed_header_is_refused(string header, int dataBytes, string reason, string code = DiagnosticCodes.SafetensorsHeaderInvalid)
        => AssertRefused(Make(header, dataBytes), code, reason);

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "twice")]
    [InlineData("""{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "overlaps")]
    [InlineData("""{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "overlaps")]
    [InlineData("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3, "hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 3, "truncated")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}}""", 2, "need 3 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "need 8 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}""", 2, "need 2 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-2],"data_offsets":[0,2]}}""", 2, "shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[-2,0]}}""", 2, "data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}""", 2, "whole number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[18446744073709551618],"data_offsets":[0,2]}}""", 2, "whole number")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2147483647,2147483647,8],"data_offsets":[0,8]}}""", 8, "more than")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "more than")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,4294967296],"data_offsets":[0,0]}}""", 0, "more than")]
    [InlineData("""{"a":{"dtype":"U9","shape":[2],"data_offsets":[0,2]}}""", 2, "unknown dtype")]
    [InlineData("""{"a":{"dtype":"u8","shape":[2],"data_offsets":[0,2]}}""", 2, "unknown dtype")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"extra":1}}""", 2, "'extra'")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]}}""", 2, "repeated")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0]}}""", 2, "lacks")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1,2]}}""", 2, "lacks")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,2]}}""", 2, "lacks")]
    [InlineData("""{"a":[1]}""", 0, "not described by an object")]
    public void A_malformed_tensor_is_refused_by_name(string header, int dataBytes, string reason)
    {
        var error = AssertRefused(Make(header, dataBytes), DiagnosticCodes.SafetensorsTensorInvalid, reason);
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_utf8_is_refused()
    {
        var header = """{"a?":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"""u8.ToArray();
        header[3] = 0xFF;
        AssertRefused(Make(header, 2), DiagnosticCodes.SafetensorsHeaderInvalid, "The header is not valid UTF-8");
    }

    [Theory]
    [InlineData(100UL, "beyond")]
    [InlineData((ulong)SafetensorsFile.MaxHeaderBytes + 1, "limit")]
    [InlineData(ulong.MaxValue, "limit")]
    public void A_header_length_beyond_the_file_or_the_limit_is_refused(ulong length, string reason)
    {
        var bytes = new byte[10];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        AssertRefused(Save(bytes), DiagnosticCodes.SafetensorsHeaderInvalid, reason);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_file_without_a_header_length_is_refused(int bytes) => AssertRefused(Save(new byte[bytes]), DiagnosticCodes.SafetensorsHeaderInvalid, "no header");

    [Fact]
    public void A_checkpoint_cut_anywhere_is_refused()
    {
        var whole = File.ReadAllBytes(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));
        foreach (var length in new[] { 8, 9, 5000, whole.Length / 2, whole.Length - 1 })
        {
            Assert.StartsWith("MASQ010", Assert.Throws<MASQuantException>(() => SafetensorsFile.Open(Save(whole[..length]))).Code, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_missing_file_is_reported() => AssertRefused(_folder.File("none.safetensors"), DiagnosticCodes.FileNotReadable, "cannot be read");

    [Fact]
    public void A_git_lfs_pointer_is_recognised()
        => AssertRefused(Save("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"u8.ToArray()), DiagnosticCodes.LfsPointer, "git lfs pull");

    private static MASQuantException AssertRefused(string path, string code, string reason)
    {
        var error = Assert.Throws<MASQuantException>(() => SafetensorsFile.Open(path));
        Assert.Equal(code, error.Code);
        Assert.Equal(path, error.File);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        return error;
    }

    private string Make(string header, int dataBytes) => Make(Encoding.UTF8.GetBytes(header), dataBytes);

    private string Make(byte[] header, int dataBytes)
    {
        var bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.CopyTo(bytes, 8);
        return Save(bytes);
    }

    private string Save(byte[] bytes)
    {
        var path = _folder.File("hostile.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
