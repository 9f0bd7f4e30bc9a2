using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace MASQuant.Bench;

/// <summary>Writes a checkpoint of a real model's shape and few layers, in the hub's layout: random weights wherever something is computed, holes on the disk for the rest of the vocabulary and the head.</summary>
/// <param name="layers">Decoder blocks.</param>
/// <param name="shape">Their extents.</param>
internal sealed class LargeCheckpoint(int layers, ModelShape shape)
{
    private const int Vocabulary = 152064;
    private const int VisionHidden = 1280;
    private const int VisionIntermediate = 3420;
    private const int VisionDepth = 2; // of 32: the tower is not what is measured
    private const int Merged = 4 * VisionHidden;

    // 14 × 14 merged patches of 28 pixels, whatever the image.
    private const int ImagePixels = 196 * 28 * 28;

    private int Hidden => shape.Hidden;

    private int Intermediate => shape.Intermediate;

    private int KeyValue => shape.KeyValue;

    /// <summary>Writes into <paramref name="folder"/>, with the tokenizer of the small model in <paramref name="small"/>.</summary>
    public void Write(string folder, string small)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(small).Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal) && !file.EndsWith("config.json", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        var images = JsonNode.Parse(File.ReadAllText(Path.Combine(small, "preprocessor_config.json")))!;
        (images["min_pixels"], images["max_pixels"]) = (ImagePixels, ImagePixels);
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"), images.ToJsonString());
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(small, "config.json")))!.AsObject();
        var used = (int)config["vocab_size"]!;
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(config).ToJsonString());

        (string Name, int[] Shape, long Filled)[] first = [("model.embed_tokens.weight", [Vocabulary, Hidden], (long)used * Hidden), .. Vision()];
        (string Name, int[] Shape, long Filled)[] second = [.. Enumerable.Range(0, layers).SelectMany(Decoder), Norm("model.norm.weight", Hidden), ("lm_head.weight", [Vocabulary, Hidden], 0)];
        WriteShard(Path.Combine(folder, "model-00001-of-00002.safetensors"), first);
        WriteShard(Path.Combine(folder, "model-00002-of-00002.safetensors"), second);
        var map = new JsonObject();
        foreach (var (shard, tensors) in new[] { ("model-00001-of-00002.safetensors", first), ("model-00002-of-00002.safetensors", second) })
        {
            foreach (var tensor in tensors)
            {
                map[tensor.Name] = shard;
            }
        }

        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
    }

    private JsonObject Config(JsonObject config)
    {
        config["hidden_size"] = Hidden;
        config["intermediate_size"] = Intermediate;
        config["num_attention_heads"] = Hidden / ModelShape.HeadSize;
        config["num_key_value_heads"] = KeyValue / ModelShape.HeadSize;
        config["num_hidden_layers"] = layers;
        config["vocab_size"] = Vocabulary;
        config["tie_word_embeddings"] = false;
        config["rope_scaling"]!["mrope_section"] = new JsonArray(16, 24, 24);
        var vision = config["vision_config"]!;
        vision["depth"] = VisionDepth;
        vision["hidden_size"] = VisionHidden;
        vision["intermediate_size"] = VisionIntermediate;
        vision["num_heads"] = 16;
        vision["out_hidden_size"] = Hidden;
        vision["window_size"] = 112;
        return config;
    }

    private IEnumerable<(string Name, int[] Shape, long Filled)> Decoder(int layer)
    {
        var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.");
        yield return Norm(prefix + "input_layernorm.weight", Hidden);
        yield return Norm(prefix + "post_attention_layernorm.weight", Hidden);
        foreach (var (name, outputs) in new[] { ("q", Hidden), ("k", KeyValue), ("v", KeyValue) })
        {
            yield return Full($"{prefix}self_attn.{name}_proj.weight", outputs, Hidden);
            yield return Full($"{prefix}self_attn.{name}_proj.bias", outputs);
        }

        yield return Full(prefix + "self_attn.o_proj.weight", Hidden, Hidden);
        yield return Full(prefix + "mlp.gate_proj.weight", Intermediate, Hidden);
        yield return Full(prefix + "mlp.up_proj.weight", Intermediate, Hidden);
        yield return Full(prefix + "mlp.down_proj.weight", Hidden, Intermediate);
    }

    private IEnumerable<(string Name, int[] Shape, long Filled)> Vision()
    {
        yield return Full("visual.patch_embed.proj.weight", VisionHidden, 3, 2, 14, 14);
        for (var block = 0; block < VisionDepth; block++)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"visual.blocks.{block}.");
            yield return Norm(prefix + "norm1.weight", VisionHidden);
            yield return Norm(prefix + "norm2.weight", VisionHidden);
            foreach (var (name, outputs, inputs) in new[]
            {
                ("attn.qkv", 3 * VisionHidden, VisionHidden), ("attn.proj", VisionHidden, VisionHidden),
                ("mlp.gate_proj", VisionIntermediate, VisionHidden), ("mlp.up_proj", VisionIntermediate, VisionHidden), ("mlp.down_proj", VisionHidden, VisionIntermediate),
            })
            {
                yield return Full(prefix + name + ".weight", outputs, inputs);
                yield return Full(prefix + name + ".bias", outputs);
            }
        }

        yield return Norm("visual.merger.ln_q.weight", VisionHidden);
        yield return Full("visual.merger.mlp.0.weight", Merged, Merged);
        yield return Full("visual.merger.mlp.0.bias", Merged);
        yield return Full("visual.merger.mlp.2.weight", Hidden, Merged);
        yield return Full("visual.merger.mlp.2.bias", Hidden);
    }

    private static (string Name, int[] Shape, long Filled) Norm(string name, int extent) => Full(name, extent);

    private static (string Name, int[] Shape, long Filled) Full(string name, params int[] shape) => (name, shape, shape.Aggregate(1L, (count, extent) => count * extent));

    private static void WriteShard(string path, (string Name, int[] Shape, long Filled)[] tensors)
    {
        var header = new JsonObject();
        var end = 0L;
        foreach (var (name, shape, _) in tensors)
        {
            var start = end;
            end += sizeof(ushort) * shape.Aggregate(1L, (count, extent) => count * extent);
            header[name] = new JsonObject { ["dtype"] = "BF16", ["shape"] = new JsonArray([.. shape.Select(extent => JsonValue.Create(extent))]), ["data_offsets"] = new JsonArray(start, end) };
        }

        var json = Encoding.UTF8.GetBytes(header.ToJsonString().PadRight((header.ToJsonString().Length + 7) / 8 * 8));
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        stream.Write(BitConverter.GetBytes((ulong)json.Length));
        stream.Write(json);
        var data = stream.Position;
        stream.SetLength(data + end);
        foreach (var (name, shape, filled) in tensors)
        {
            stream.Position = data + (long)header[name]!["data_offsets"]![0]!;
            Fill(stream, name, shape, filled);
        }
    }

    /// <summary>Uniform weights of variance 1/K, gains near 1, and a loud channel here and there, as trained models have.</summary>
    private static void Fill(FileStream stream, string name, int[] shape, long count)
    {
        var state = 0x9E3779B97F4A7C15UL ^ (ulong)name.Aggregate(17, (hash, letter) => unchecked((hash * 31) + letter));
        var isNorm = name.Contains("norm", StringComparison.Ordinal) || name.Contains("ln_q", StringComparison.Ordinal);
        var width = isNorm ? 0.2f : MathF.Sqrt(3f / (shape.Length > 1 ? shape[1..].Aggregate(1, (product, extent) => product * extent) : 100_000));
        var buffer = new ushort[1 << 16];
        for (var done = 0L; done < count; done += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, count - done));
            for (var i = 0; i < part.Length; i++)
            {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                var value = ((int)(state >> 40) - (1 << 23)) * (width / (1 << 23));
                value = isNorm ? (state & 0x7F) == 0 ? 12 : 1 + value : value;
                part[i] = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
            }

            stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(part));
        }
    }
}
