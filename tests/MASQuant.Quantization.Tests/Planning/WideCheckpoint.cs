using System.Text;
using System.Text.Json.Nodes;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Planning;

/// <summary>vl-tiny with another width inside the MLPs, and zeros for weights: the file is a hole but for its header.</summary>
internal static class WideCheckpoint
{
    public static string Write(string folder, int intermediate)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(RepositoryFiles.VlTiny, "*.json"))
        {
            File.WriteAllText(Path.Combine(folder, Path.GetFileName(file)), File.ReadAllText(file).Replace("\"intermediate_size\": 256", $"\"intermediate_size\": {intermediate}", StringComparison.Ordinal));
        }

        var header = new JsonObject();
        var end = 0L;
        using (var small = SafetensorsFile.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors")))
        {
            foreach (var tensor in small.Tensors)
            {
                var shape = tensor.Shape.Select(extent => extent == 256 && tensor.Name.Contains("layers.", StringComparison.Ordinal) ? intermediate : extent).ToArray();
                var start = end;
                end += sizeof(ushort) * shape.Aggregate(1L, (count, extent) => count * extent);
                header[tensor.Name] = new JsonObject { ["dtype"] = "BF16", ["shape"] = new JsonArray([.. shape.Select(extent => JsonValue.Create(extent))]), ["data_offsets"] = new JsonArray(start, end) };
            }
        }

        var json = Encoding.UTF8.GetBytes(header.ToJsonString());
        using var stream = File.Create(Path.Combine(folder, "model.safetensors"));
        stream.Write(BitConverter.GetBytes((ulong)json.Length));
        stream.Write(json);
        stream.SetLength(stream.Position + end);
        return folder;
    }
}
