using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Writes checkpoints as tools leave them: the configurations of <c>layouts.json</c> (each content once; layouts say which they have) beside random weights.</summary>
internal static class LayoutCheckpoint
{
    private static readonly JsonObject Known = JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Cli.Tests", "Layouts", "layouts.json")))!.AsObject();

    public static IEnumerable<string> Names => Known["layouts"]!.AsObject().Select(layout => layout.Key);

    /// <summary>Writes <paramref name="layout"/> into <paramref name="folder"/>.</summary>
    public static void Write(string layout, string folder)
    {
        WriteFiles(layout, folder);
        if (layout == "vl3-adapter")
        {
            SafetensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), [TensorPayload.OfFloats("base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight", new float[8 * 256], 8, 256)]);
            return;
        }

        WriteShards(folder, [.. Tensors(layout)], layout is "vl3-newnames" or "vl3-mlx" or "vl3-peft" ? 1 : 2);
    }

    /// <summary>Writes all but the weights.</summary>
    public static void WriteFiles(string layout, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (file, content) in Known["layouts"]![layout]!.AsObject())
        {
            File.WriteAllText(Path.Combine(folder, file), Known["contents"]![content!.GetValue<string>()]!.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        }

        File.Copy(Path.Combine(RepositoryFiles.OmniTiny, "tokenizer.json"), Path.Combine(folder, "tokenizer.json"));
    }

    /// <summary>The hub's cache: a snapshot of links to blobs.</summary>
    public static string WriteAsHubCache(string layout, string folder)
    {
        var (blobs, snapshot) = (Path.Combine(folder, "blobs"), Path.Combine(folder, "snapshots", "66285546d2b821cf421d4f5eb2576359d3770cd3"));
        Write(layout, blobs);
        Directory.CreateDirectory(snapshot);
        foreach (var (i, file) in Directory.GetFiles(blobs).Index())
        {
            var blob = $"{i:x40}";
            File.Move(file, Path.Combine(blobs, blob));
            File.CreateSymbolicLink(Path.Combine(snapshot, Path.GetFileName(file)), Path.Combine("..", "..", "blobs", blob));
        }

        return snapshot;
    }

    private static IEnumerable<TensorPayload> Tensors(string layout)
    {
        var weights = layout.StartsWith("omni", StringComparison.Ordinal) ? LayoutWeights.Omni() : LayoutWeights.VL(hasHead: layout.StartsWith("vl7", StringComparison.Ordinal));
        if (layout == "vl3-lora-head-untied")
        {
            weights.AddHead("lm_head.weight");
        }
        else if (layout == "vl3-lora-head-same")
        {
            weights.Tensors["lm_head.weight"] = weights.Tensors["model.embed_tokens.weight"];
        }
        else if (layout == "vl3-resized")
        {
            var (shape, values) = weights.Tensors["model.embed_tokens.weight"];
            weights.Tensors["model.embed_tokens.weight"] = ([LayoutWeights.TokenizerRows, shape[1]], values[..(LayoutWeights.TokenizerRows * shape[1])]);
        }

        foreach (var (name, (shape, values)) in weights.Tensors)
        {
            foreach (var payload in Stored(layout, name, shape, values))
            {
                yield return payload;
            }
        }

        foreach (var payload in layout is "omni-hub" or "omni-5x-full" ? LayoutWeights.Speech() : [])
        {
            yield return payload;
        }
    }

    private static IEnumerable<TensorPayload> Stored(string layout, string name, int[] shape, float[] values) => layout switch
    {
        "vl3-f16" => [TensorPayload.OfFloat16(name, values, shape)],
        "vl3-f32" => [TensorPayload.OfFloats(name, values, shape)],
        "vl3-awq" when IsProjection(name) =>
        [
            Zeros(name[..^6] + "qweight", DataType.I32, shape[1], shape[0] / 8),
            Zeros(name[..^6] + "qzeros", DataType.I32, shape[1] / 128, shape[0] / 8),
            Zeros(name[..^6] + "scales", DataType.F16, shape[1] / 128, shape[0]),
        ],
        "vl3-bnb4" when IsProjection(name) => [Zeros(name, DataType.U8, shape[0] * shape[1] / 2, 1)],
        "vl3-newnames" or "vl7-newnames" or "vl3-lora-head-untied" or "vl3-lora-head-same" => [TensorPayload.OfBFloat16(NewName(name), values, shape)],
        "vl3-mlx" => [TensorPayload.OfBFloat16(name.StartsWith("visual.", StringComparison.Ordinal) ? "vision_tower." + name[7..] : "language_model." + name, values, shape)],
        "vl3-peft" => [TensorPayload.OfBFloat16("base_model.model." + NewName(name), values, shape)],
        "omni-hub" or "omni-5x-full" or "omni-452-thinkeronly" or "omni-457-thinkeronly" => [TensorPayload.OfBFloat16("thinker." + name, values, shape)],
        _ => [TensorPayload.OfBFloat16(name, values, shape)],
    };

    private static bool IsProjection(string name) => name.StartsWith("model.layers.", StringComparison.Ordinal) && name.EndsWith("_proj.weight", StringComparison.Ordinal);

    private static TensorPayload Zeros(string name, DataType type, params int[] shape)
        => TensorPayload.OfBytes(name, type, new byte[shape.Aggregate(type.ByteSize(), (bytes, extent) => bytes * extent)], shape);

    private static string NewName(string name) => name.StartsWith("visual.", StringComparison.Ordinal) ? "model." + name
        : name.StartsWith("model.", StringComparison.Ordinal) ? "model.language_model." + name[6..] : name;

    private static void WriteShards(string folder, TensorPayload[] tensors, int shards)
    {
        if (shards == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors);
            return;
        }

        var map = new JsonObject();
        for (var shard = 0; shard < shards; shard++)
        {
            var file = $"model-{shard + 1:00000}-of-{shards:00000}.safetensors";
            TensorPayload[] part = [.. tensors.Where((_, i) => i % shards == shard)];
            SafetensorsWriter.Write(Path.Combine(folder, file), part);
            foreach (var payload in part)
            {
                map[payload.Tensor.Name] = file;
            }
        }

        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
    }
}
