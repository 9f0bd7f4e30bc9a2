using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Weights that are headers and holes.</summary>
internal static class SparseWeights
{
    private const long ShardBytes = 5_000_000_000;

    /// <summary>Writes shards and their index into <paramref name="folder"/>.</summary>
    public static void Write(string folder, IEnumerable<(string Name, int[] Shape)> tensors, string type = "BF16")
    {
        var (map, part, bytes, parts) = (new JsonObject(), new List<(string Name, int[] Shape)>(), 0L, 0);
        foreach (var tensor in tensors)
        {
            if (bytes + Bytes(tensor.Shape, type) > ShardBytes && part.Count > 0)
            {
                Flush();
            }

            part.Add(tensor);
            bytes += Bytes(tensor.Shape, type);
        }

        Flush();
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());

        void Flush()
        {
            var file = $"model-{++parts:00000}.safetensors";
            WriteShard(Path.Combine(folder, file), part, type);
            part.ForEach(tensor => map[tensor.Name] = file);
            (part, bytes) = ([], 0);
        }
    }

    private static long Bytes(int[] shape, string type) => shape.Aggregate(type == "F32" ? 4L : 2, (bytes, extent) => bytes * extent);

    private static void WriteShard(string path, IEnumerable<(string Name, int[] Shape)> tensors, string type)
    {
        var (header, position) = (new JsonObject(), 0L);
        foreach (var (name, shape) in tensors)
        {
            header[name] = new JsonObject { ["dtype"] = type, ["shape"] = new JsonArray([.. shape.Select(extent => JsonValue.Create(extent))]), ["data_offsets"] = new JsonArray(position, position += Bytes(shape, type)) };
        }

        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        using var stream = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        stream.Write(length);
        stream.Write(text);
        stream.SetLength(8 + text.Length + position);
    }
}
