using System.Globalization;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

/// <summary>Pages of a mapping that are given back cease to count as this process's, and hold what they held.</summary>
public sealed class MappedPagesTests : IDisposable
{
    private const int Bytes = 8 << 20;

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void A_discarded_tensor_leaves_no_whole_page_resident()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Only Linux says which pages of a mapping are resident.");
        var content = new byte[Bytes];
        new Random(1).NextBytes(content);
        var path = _folder.File("tensors.safetensors");
        SafetensorsWriter.Write(path, [TensorPayload.OfBytes("a", DataType.U8, content, Bytes)]);
        using var file = SafetensorsFile.Open(path);
        Assert.True(file.Bytes("a").Span.SequenceEqual(content));
        Assert.InRange(Resident(path), Bytes, long.MaxValue);

        // What stays: the header's pages, and the tensor's first and last, which are not its alone.
        file.Discard("a");
        Assert.InRange(Resident(path), 0, 4L * Environment.SystemPageSize);
        Assert.True(file.Bytes("a").Span.SequenceEqual(content));
    }

    [Fact]
    public void A_tensor_that_is_not_there_cannot_be_discarded()
    {
        var path = _folder.File("none.safetensors");
        SafetensorsWriter.Write(path, [TensorPayload.OfBytes("a", DataType.U8, new byte[3], 3)]);
        using var file = SafetensorsFile.Open(path);
        file.Discard("a");
        Assert.Equal(new byte[3], file.Bytes("a").ToArray());
        Assert.Throws<MASQuantException>(() => file.Discard("b"));
    }

    private static long Resident(string path)
    {
        var lines = File.ReadAllLines("/proc/self/smaps");
        var start = Array.FindIndex(lines, line => line.EndsWith(path, StringComparison.Ordinal));
        var resident = lines.Skip(start).First(line => line.StartsWith("Rss:", StringComparison.Ordinal));
        return long.Parse(resident.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
