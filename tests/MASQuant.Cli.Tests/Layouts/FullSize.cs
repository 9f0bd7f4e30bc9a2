using System.Text.Json.Nodes;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>A published model's extents, and its checkpoint without weights: configuration, headers, and sparse files.</summary>
/// <param name="Name">Its name on the hub.</param>
/// <param name="Hidden">H.</param>
/// <param name="Layers">Decoder blocks.</param>
/// <param name="Heads">Query heads of 128.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="Inner">The width between gate/up and down.</param>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="Tied">Whether the head is the embedding.</param>
/// <param name="VisionInner">The width inside the vision tower's MLP.</param>
/// <param name="Hears">Whether it is an Omni.</param>
/// <param name="Type">The element type.</param>
internal sealed record FullSize(string Name, int Hidden, int Layers, int Heads, int KeyValueHeads, int Inner, int Vocabulary, bool Tied, int VisionInner, bool Hears = false, string Type = "BF16")
{
    public static IReadOnlyList<FullSize> All { get; } =
    [
        new("Qwen2.5-VL-3B-Instruct", 2048, 36, 16, 2, 11008, 151936, true, 3420),
        new("Qwen2.5-VL-7B-Instruct", 3584, 28, 28, 4, 18944, 152064, false, 3420),
        new("Qwen2.5-VL-32B-Instruct", 5120, 64, 40, 8, 27648, 152064, false, 3456),
        new("Qwen2.5-VL-72B-Instruct", 8192, 80, 64, 8, 29568, 152064, false, 3456),
        new("Qwen2.5-VL-7B-F32", 3584, 28, 28, 4, 18944, 152064, false, 3420, Type: "F32"),
        new("Qwen2.5-Omni-3B", 2048, 36, 16, 2, 11008, 151936, false, 3420, Hears: true),
        new("Qwen2.5-Omni-7B", 3584, 28, 28, 4, 18944, 152064, false, 3420, Hears: true),
    ];

    /// <summary>Every tensor that the hub's file has of the parts that are read, by the published modelling code; Omni's under <c>thinker.</c></summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
        => Text().Concat(Vision()).Concat(Hears ? Audio() : []).Select(tensor => (Hears ? "thinker." + tensor.Item1 : tensor.Item1, tensor.Item2));

    public void Write(string folder)
    {
        LayoutCheckpoint.WriteFiles(Hears ? "omni-hub" : Tied ? "vl3-hub" : "vl7-hub", folder);
        WriteConfig(Path.Combine(folder, "config.json"));
        SparseWeights.Write(folder, Tensors(), Type);
    }

    private void WriteConfig(string file)
    {
        var config = JsonNode.Parse(File.ReadAllText(file))!;
        var model = Hears ? config["thinker_config"]! : config;
        var text = Hears ? model["text_config"]! : model;
        foreach (var (name, value) in (ReadOnlySpan<(string, int)>)[("hidden_size", Hidden), ("num_hidden_layers", Layers), ("num_attention_heads", Heads), ("num_key_value_heads", KeyValueHeads), ("intermediate_size", Inner), ("vocab_size", Vocabulary)])
        {
            text[name] = value;
        }

        foreach (var (name, value) in (ReadOnlySpan<(string, int)>)[("hidden_size", 1280), ("intermediate_size", VisionInner), ("num_heads", 16), ("out_hidden_size", Hidden)])
        {
            model["vision_config"]![name] = value;
        }

        if (Hears)
        {
            foreach (var (name, value) in (ReadOnlySpan<(string, int)>)[("d_model", 1280), ("encoder_attention_heads", 20), ("encoder_ffn_dim", 5120), ("encoder_layers", 32), ("num_hidden_layers", 32), ("output_dim", Hidden)])
            {
                model["audio_config"]![name] = value;
            }
        }

        File.WriteAllText(file, config.ToJsonString());
    }

    private IEnumerable<(string, int[])> Text()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (var i = 0; i < Layers; i++)
        {
            var (block, attention, queries, keys) = ($"model.layers.{i}.", $"model.layers.{i}.self_attn.", Heads * 128, KeyValueHeads * 128);
            foreach (var tensor in ((string, int[])[])[
                (block + "input_layernorm.weight", [Hidden]), (block + "post_attention_layernorm.weight", [Hidden]),
                (attention + "q_proj.weight", [queries, Hidden]), (attention + "q_proj.bias", [queries]), (attention + "k_proj.weight", [keys, Hidden]), (attention + "k_proj.bias", [keys]),
                (attention + "v_proj.weight", [keys, Hidden]), (attention + "v_proj.bias", [keys]), (attention + "o_proj.weight", [Hidden, queries]),
                (block + "mlp.gate_proj.weight", [Inner, Hidden]), (block + "mlp.up_proj.weight", [Inner, Hidden]), (block + "mlp.down_proj.weight", [Hidden, Inner])])
            {
                yield return tensor;
            }
        }

        yield return ("model.norm.weight", [Hidden]);
        if (!Tied)
        {
            yield return ("lm_head.weight", [Vocabulary, Hidden]);
        }
    }

    private IEnumerable<(string, int[])> Vision()
    {
        const int Width = 1280;
        yield return ("visual.patch_embed.proj.weight", [Width, 3, 2, 14, 14]);
        for (var i = 0; i < 32; i++)
        {
            var block = $"visual.blocks.{i}.";
            yield return (block + "norm1.weight", [Width]);
            yield return (block + "norm2.weight", [Width]);
            (string, int, int)[] attention = Hears ? [("attn.q", Width, Width), ("attn.k", Width, Width), ("attn.v", Width, Width)] : [("attn.qkv", 3 * Width, Width)];
            foreach (var (name, outputs, inputs) in attention.Concat([("attn.proj", Width, Width), ("mlp.gate_proj", VisionInner, Width), ("mlp.up_proj", VisionInner, Width), ("mlp.down_proj", Width, VisionInner)]))
            {
                yield return ($"{block}{name}.weight", [outputs, inputs]);
                yield return ($"{block}{name}.bias", [outputs]);
            }
        }

        foreach (var tensor in ((string, int[])[])[("ln_q.weight", [Width]), ("mlp.0.weight", [4 * Width, 4 * Width]), ("mlp.0.bias", [4 * Width]), ("mlp.2.weight", [Hidden, 4 * Width]), ("mlp.2.bias", [Hidden])])
        {
            yield return ("visual.merger." + tensor.Item1, tensor.Item2);
        }
    }

    private IEnumerable<(string, int[])> Audio()
    {
        const int Width = 1280, FeedForward = 5120;
        foreach (var tensor in ((string, int[])[])[("conv1.weight", [Width, 128, 3]), ("conv1.bias", [Width]), ("conv2.weight", [Width, Width, 3]), ("conv2.bias", [Width]),
            ("ln_post.weight", [Width]), ("ln_post.bias", [Width]), ("proj.weight", [Hidden, Width]), ("proj.bias", [Hidden]), ("audio_bos_eos_token.weight", [2, Hidden])])
        {
            yield return ("audio_tower." + tensor.Item1, tensor.Item2);
        }

        for (var i = 0; i < 32; i++)
        {
            foreach (var (name, outputs, inputs, bias) in ((string, int, int, bool)[])[("self_attn.q_proj", Width, Width, true), ("self_attn.k_proj", Width, Width, false), ("self_attn.v_proj", Width, Width, true),
                ("self_attn.out_proj", Width, Width, true), ("fc1", FeedForward, Width, true), ("fc2", Width, FeedForward, true), ("self_attn_layer_norm", Width, 0, true), ("final_layer_norm", Width, 0, true)])
            {
                yield return ($"audio_tower.layers.{i}.{name}.weight", inputs == 0 ? [outputs] : [outputs, inputs]);
                if (bias)
                {
                    yield return ($"audio_tower.layers.{i}.{name}.bias", [outputs]);
                }
            }
        }
    }
}
