using System.Text.Json.Nodes;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Published models of further families: extents, and checkpoints without weights. Tensors are those of the published modelling code, under the names of the hub's files.</summary>
/// <param name="Name">Its name on the hub.</param>
/// <param name="Hidden">H.</param>
/// <param name="Layers">Decoder blocks.</param>
/// <param name="Heads">Query heads of 128.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="Inner">The width between gate/up and down.</param>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="Tied">Whether the head is the embedding.</param>
/// <param name="Tower">The vision tower's depth, width, and the width inside its MLP.</param>
/// <param name="Deepstack">The tower's blocks from which the decoder's first get rows; none: the older family.</param>
/// <param name="Parameters">As the hub's page says.</param>
internal sealed record FurtherFullSize(
    string Name, int Hidden, int Layers, int Heads, int KeyValueHeads, int Inner, int Vocabulary, bool Tied, (int Depth, int Width, int Inner) Tower, int[] Deepstack, long Parameters)
{
    private static readonly (int, int, int) Small = (24, 1024, 4096), Large = (27, 1152, 4304), Older = (32, 1280, 5120);

    public static IReadOnlyList<FurtherFullSize> All { get; } =
    [
        new("Qwen2-VL-2B-Instruct", 1536, 28, 12, 2, 8960, 151936, true, Older, [], 2_208_985_600),
        new("Qwen2-VL-7B-Instruct", 3584, 28, 28, 4, 18944, 152064, false, Older, [], 8_291_375_616),
        new("Qwen3-VL-2B-Instruct", 2048, 28, 16, 8, 6144, 151936, true, Small, [5, 11, 17], 2_127_532_032),
        new("Qwen3-VL-4B-Instruct", 2560, 36, 32, 8, 9728, 151936, true, Small, [5, 11, 17], 4_437_815_808),
        new("Qwen3-VL-8B-Instruct", 4096, 36, 32, 8, 12288, 151936, false, Large, [8, 16, 24], 8_767_123_696),
        new("Qwen3-VL-32B-Instruct", 5120, 64, 64, 8, 25600, 151936, false, Large, [8, 16, 24], 33_357_390_064),
    ];

    private bool HasDeepstack => Deepstack.Length > 0;

    public void Write(string folder)
    {
        LayoutCheckpoint.WriteFiles(Tied ? "vl3-hub" : "vl7-hub", folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), (HasDeepstack ? Newer() : Former()).ToJsonString());
        var side = HasDeepstack ? 16 : 14;
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"), $$"""{ "size": { "shortest_edge": 65536, "longest_edge": 16777216 }, "patch_size": {{side}}, "temporal_patch_size": 2, "merge_size": 2 }""");
        SparseWeights.Write(folder, Tensors());
    }

    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        var (text, seen) = HasDeepstack ? ("model.language_model.", "model.visual.") : ("model.", "visual.");
        return [.. Text(text), .. Vision(seen), .. Tied ? [] : ((string, int[])[])[("lm_head.weight", [Vocabulary, Hidden])]];
    }

    private JsonObject Former() => new(Decoder())
    {
        ["model_type"] = "qwen2_vl",
        ["rope_theta"] = 1_000_000,
        ["rope_scaling"] = new JsonObject { ["type"] = "mrope", ["mrope_section"] = new JsonArray(16, 24, 24) },
        ["vision_config"] = new JsonObject { ["depth"] = Tower.Depth, ["embed_dim"] = Tower.Width, ["mlp_ratio"] = 4, ["num_heads"] = 16, ["in_chans"] = 3, ["hidden_size"] = Hidden, ["patch_size"] = 14, ["spatial_patch_size"] = 14 },
    };

    private JsonObject Newer() => new()
    {
        ["model_type"] = "qwen3_vl",
        ["tie_word_embeddings"] = Tied,
        ["text_config"] = new JsonObject(Decoder())
        {
            ["head_dim"] = 128,
            ["rope_theta"] = 5_000_000,
            ["rope_scaling"] = new JsonObject { ["rope_type"] = "default", ["mrope_section"] = new JsonArray(24, 20, 20), ["mrope_interleaved"] = true },
        },
        ["vision_config"] = new JsonObject
        {
            ["depth"] = Tower.Depth,
            ["hidden_size"] = Tower.Width,
            ["intermediate_size"] = Tower.Inner,
            ["num_heads"] = 16,
            ["out_hidden_size"] = Hidden,
            ["num_position_embeddings"] = 2304,
            ["deepstack_visual_indexes"] = new JsonArray([.. Deepstack.Select(block => JsonValue.Create(block))]),
        },
    };

    private IEnumerable<KeyValuePair<string, JsonNode?>> Decoder() => new Dictionary<string, JsonNode?>
    {
        ["hidden_size"] = Hidden,
        ["num_hidden_layers"] = Layers,
        ["num_attention_heads"] = Heads,
        ["num_key_value_heads"] = KeyValueHeads,
        ["intermediate_size"] = Inner,
        ["vocab_size"] = Vocabulary,
        ["tie_word_embeddings"] = Tied,
        ["rms_norm_eps"] = 1e-6,
    };

    private IEnumerable<(string, int[])> Text(string prefix)
    {
        yield return (prefix + "embed_tokens.weight", [Vocabulary, Hidden]);
        yield return (prefix + "norm.weight", [Hidden]);
        for (var i = 0; i < Layers; i++)
        {
            var (block, queries, keys) = ($"{prefix}layers.{i}.", Heads * 128, KeyValueHeads * 128);
            foreach (var tensor in ((string, int[])[])[
                ("input_layernorm.weight", [Hidden]), ("post_attention_layernorm.weight", [Hidden]),
                ("self_attn.q_proj.weight", [queries, Hidden]), ("self_attn.k_proj.weight", [keys, Hidden]), ("self_attn.v_proj.weight", [keys, Hidden]), ("self_attn.o_proj.weight", [Hidden, queries]),
                ("mlp.gate_proj.weight", [Inner, Hidden]), ("mlp.up_proj.weight", [Inner, Hidden]), ("mlp.down_proj.weight", [Hidden, Inner]),
                .. HasDeepstack
                    ? ((string, int[])[])[("self_attn.q_norm.weight", [128]), ("self_attn.k_norm.weight", [128])]
                    : [("self_attn.q_proj.bias", [queries]), ("self_attn.k_proj.bias", [keys]), ("self_attn.v_proj.bias", [keys])]])
            {
                yield return (block + tensor.Item1, tensor.Item2);
            }
        }
    }

    private IEnumerable<(string, int[])> Vision(string prefix)
    {
        var (depth, width, inner) = Tower;
        var side = HasDeepstack ? 16 : 14;
        yield return (prefix + "patch_embed.proj.weight", [width, 3, 2, side, side]);
        if (HasDeepstack)
        {
            yield return (prefix + "patch_embed.proj.bias", [width]);
            yield return (prefix + "pos_embed.weight", [2304, width]);
        }

        var (first, second) = HasDeepstack ? ("linear_fc1", "linear_fc2") : ("fc1", "fc2");
        var blocks = Enumerable.Range(0, depth).SelectMany(i => Named($"{prefix}blocks.{i}.", ("norm1", width, 0), ("norm2", width, 0), ("attn.qkv", 3 * width, width), ("attn.proj", width, width), ("mlp." + first, inner, width), ("mlp." + second, width, inner)));
        var merger = HasDeepstack
            ? Named(prefix + "merger.", ("norm", width, 0), ("linear_fc1", 4 * width, 4 * width), ("linear_fc2", Hidden, 4 * width))
            : Named(prefix + "merger.", ("ln_q", width, 0), ("mlp.0", 4 * width, 4 * width), ("mlp.2", Hidden, 4 * width));
        var others = Deepstack.SelectMany((_, level) => Named($"{prefix}deepstack_merger_list.{level}.", ("norm", 4 * width, 0), ("linear_fc1", 4 * width, 4 * width), ("linear_fc2", Hidden, 4 * width)));
        foreach (var tensor in blocks.Concat(merger).Concat(others))
        {
            yield return tensor;
        }
    }

    private static IEnumerable<(string, int[])> Named(string prefix, params (string Name, int Outputs, int Inputs)[] layers)
        => layers.SelectMany(layer => ((string, int[])[])[($"{prefix}{layer.Name}.weight", layer.Inputs == 0 ? [layer.Outputs] : [layer.Outputs, layer.Inputs]), ($"{prefix}{layer.Name}.bias", [layer.Outputs])]);
}
