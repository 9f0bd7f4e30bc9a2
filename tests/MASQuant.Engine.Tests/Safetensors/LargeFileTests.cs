using System.Buffers.Binary;
using System.Text;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class LargeFileTests
{
    [SkippableFact]
    public void A_file_beyond_4_gib_is_mapped_whole()
    {
        Skip.If(OperatingSystem.IsWindows(), "The file would not be sparse.");
        const long Size = 1_500_000_000;
        using var folder = new TemporaryDirectory();
        var path = folder.File("large.safetensors");
        var header = Encoding.UTF8.GetBytes("{" + string.Join(',', Enumerable.Range(0, 3).Select(i => $$"""
            "t{{i}}":{"dtype":"U8","shape":[{{Size}}],"data_offsets":[{{i * Size}},{{(i + 1) * Size}}]}
            """)) + "}");
        using (var stream = File.Create(path))
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            stream.SetLength(8 + header.Length + (3 * Size));
            stream.Seek(-1, SeekOrigin.End);
            stream.WriteByte(42);
        }

        using var file = SafetensorsFile.Open(path);
        Assert.Equal(42, file.Bytes("t2").Span[^1]);
        Assert.Equal(0, file.Bytes("t1").Span[^1]);
    }
}
