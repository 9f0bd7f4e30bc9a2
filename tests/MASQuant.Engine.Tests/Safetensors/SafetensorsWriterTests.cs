using System.Buffers.Binary;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Random_tensors_come_back_whatever_order_they_were_given_in()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var content = Enumerable.Range(0, random.Next(8)).Select(i => Random(random, $"t{i}é\"")).ToDictionary(t => t.Tensor.Name);
            var metadata = new Dictionary<string, string> { ["z"] = "ü", ["a"] = seed.ToString(System.Globalization.CultureInfo.InvariantCulture) };
            var path = Write("a", content.Values, metadata);
            var shuffled = content.Values.ToArray();
            random.Shuffle(shuffled);
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Write("b", shuffled, metadata.Reverse().ToDictionary())));

            using var file = SafetensorsFile.Open(path);
            Assert.Equal(metadata, file.Metadata);
            Assert.Equal(content.Keys.Order(StringComparer.Ordinal), file.Tensors.Select(t => t.Name));
            foreach (var tensor in file.Tensors)
            {
                Assert.Equal(content[tensor.Name].Tensor.Shape, tensor.Shape);
                Assert.Equal(content[tensor.Name].Tensor.Type, tensor.Type);
                Assert.Equal(content[tensor.Name].Bytes, file.Bytes(tensor.Name).ToArray());
            }
        }
    }

    [Fact]
    public unsafe void Data_is_aligned_to_the_element_and_large_tensors_to_64_bytes()
    {
        var random = new Random(3);
        (TensorInfo, byte[])[] content = [.. Enumerable.Range(0, 40).Select(i => Random(random, $"t{i}")), Of("codes", DataType.U8, random, 16, 8), Of("scales", DataType.F32, random, 16)];
        using var file = SafetensorsFile.Open(Write("a", content));
        foreach (var tensor in file.Tensors.Where(t => t.Count > 0))
        {
            using var pin = file.Bytes(tensor.Name).Pin();
            Assert.Equal(0u, (nuint)pin.Pointer % (uint)tensor.Type.ByteSize());
            if (tensor.Count * tensor.Type.ByteSize() % 64 == 0)
            {
                Assert.Equal(0u, (nuint)pin.Pointer % 64);
            }
        }
    }

    [Fact]
    public void The_header_is_padded_with_spaces_as_the_format_asks()
    {
        var bytes = File.ReadAllBytes(Write("a", [Of("x", DataType.U8, new Random(0), 3)]));
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, (8 + length) % 64);
        Assert.Equal(bytes.Length - 3, 8 + length);
        Assert.Equal((byte)' ', bytes[7 + length]);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file_and_nothing_else()
    {
        var path = Write("a", [Of("x", DataType.U8, new Random(0), 3)]);
        var before = File.ReadAllBytes(path);
        var failing = new TensorPayload(new TensorInfo("y", DataType.U8, [3]), _ => throw new OperationCanceledException());
        Assert.Throws<OperationCanceledException>(() => SafetensorsWriter.Write(path, [failing]));
        var shortened = new TensorPayload(new TensorInfo("y", DataType.U8, [3]), stream => stream.WriteByte(0));
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(path, [shortened]));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Two_tensors_of_one_name_are_a_mistake()
    {
        var twice = TensorPayload.OfBytes("x", DataType.U8, new byte[1], 1);
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder.File("a"), [twice, twice]));
    }

    [Fact]
    public void A_folder_that_is_a_file_is_reported()
    {
        File.WriteAllText(_folder.File("f"), "");
        var error = Assert.Throws<MASQuantException>(() => AtomicFile.Write(Path.Combine(_folder.File("f"), "x"), new byte[1]));
        Assert.Equal(DiagnosticCodes.FileNotWritable, error.Code);
    }

    private string Write(string name, IEnumerable<(TensorInfo Tensor, byte[] Bytes)> content, IReadOnlyDictionary<string, string>? metadata = null)
    {
        SafetensorsWriter.Write(_folder.File(name), content.Select(c => TensorPayload.OfBytes(c.Tensor.Name, c.Tensor.Type, c.Bytes, [.. c.Tensor.Shape])), metadata);
        return _folder.File(name);
    }

    private static (TensorInfo Tensor, byte[] Bytes) Random(Random random, string name)
    {
        var types = Enum.GetValues<DataType>();
        return Of(name, types[random.Next(types.Length)], random, [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(6))]);
    }

    private static (TensorInfo Tensor, byte[] Bytes) Of(string name, DataType type, Random random, params int[] shape)
    {
        var tensor = new TensorInfo(name, type, shape);
        var bytes = new byte[tensor.Count * type.ByteSize()];
        random.NextBytes(bytes);
        return (tensor, bytes);
    }
}
