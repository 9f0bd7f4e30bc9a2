using System.Text.Json.Nodes;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Published models whose layers carry a state: extents, and checkpoints without weights. Tensors are those of the published modelling code, under the names of the hub's files, with those of the head that guesses ahead.</summary>
/// <param name="Name">Its name on the hub.</param>
/// <param name="Hidden">H.</param>
/// <param name="Layers">Decoder blocks, of which every fourth attends.</param>
/// <param name="Heads">Query heads of 256.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="Inner">The width between gate/up and down.</param>
/// <param name="ValueHeads">Value heads of 128 of the states, beside 16 key heads of 128.</param>
/// <param name="Tied">Whether the head is the embedding.</param>
/// <param name="Tower">The vision tower's depth, width, heads, and the width inside its MLP.</param>
internal sealed record StateFullSize(string Name, int Hidden, int Layers, int Heads, int KeyValueHeads, int Inner, int ValueHeads, bool Tied, (int Depth, int Width, int Heads, int Inner) Tower)
{
    private const int Vocabulary = 248320, Head = 256, State = 128, KeyHeads = 16;

    public static IReadOnlyList<StateFullSize> All { get; } =
    [
        new("Qwen3.5-0.8B", 1024, 24, 8, 2, 3584, 16, true, (12, 768, 12, 3072)),
        new("Qwen3.5-2B", 2048, 24, 8, 2, 6144, 16, true, (24, 1024, 16, 4096)),
        new("Qwen3.5-4B", 2560, 32, 16, 4, 9216, 32, true, (24, 1024, 16, 4096)),
        new("Qwen3.5-9B", 4096, 32, 16, 4, 12288, 32, false, (27, 1152, 16, 4304)),
        new("Qwen3.5-27B", 5120, 64, 24, 4, 17408, 48, false, (27, 1152, 16, 4304)),
    ];

    /// <summary>Keys and values in FP32, in every fourth layer.</summary>
    public long TokenBytes => Layers / 4L * 2 * KeyValueHeads * Head * 4;

    /// <summary>In the others, before and behind a pass: a matrix for each value head, and three rows of what is convolved.</summary>
    public long StateBytes => Layers / 4L * 3 * 2 * ((ValueHeads * State * State) + (3 * Channels)) * 4;

    private int Channels => ((2 * KeyHeads) + ValueHeads) * State;

    public void Write(string folder)
    {
        LayoutCheckpoint.WriteFiles(Tied ? "vl3-hub" : "vl7-hub", folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config().ToJsonString());
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"), """{ "size": { "shortest_edge": 65536, "longest_edge": 16777216 }, "patch_size": 16, "temporal_patch_size": 2, "merge_size": 2 }""");
        SparseWeights.Write(folder, Tensors());
    }

    public IEnumerable<(string Name, int[] Shape)> Tensors() =>
    [
        ("model.language_model.embed_tokens.weight", [Vocabulary, Hidden]), ("model.language_model.norm.weight", [Hidden]),
        .. Enumerable.Range(0, Layers).SelectMany(layer => Block($"model.language_model.layers.{layer}.", attends: layer % 4 == 3)),
        .. Vision("model.visual."),
        .. Tied ? [] : ((string, int[])[])[("lm_head.weight", [Vocabulary, Hidden])],
        ("mtp.fc.weight", [Hidden, 2 * Hidden]), ("mtp.norm.weight", [Hidden]), ("mtp.pre_fc_norm_embedding.weight", [Hidden]), ("mtp.pre_fc_norm_hidden.weight", [Hidden]), .. Block("mtp.layers.0.", attends: true),
    ];

    private JsonObject Config() => new()
    {
        ["model_type"] = "qwen3_5",
        ["tie_word_embeddings"] = Tied,
        ["text_config"] = new JsonObject
        {
            ["hidden_size"] = Hidden,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KeyValueHeads,
            ["head_dim"] = Head,
            ["intermediate_size"] = Inner,
            ["vocab_size"] = Vocabulary,
            ["tie_word_embeddings"] = Tied,
            ["attn_output_gate"] = true,
            ["full_attention_interval"] = 4,
            ["linear_num_key_heads"] = KeyHeads,
            ["linear_num_value_heads"] = ValueHeads,
            ["linear_key_head_dim"] = State,
            ["linear_value_head_dim"] = State,
            ["max_position_embeddings"] = 262144,
            ["mtp_num_hidden_layers"] = 1,
            ["rope_parameters"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = 10_000_000, ["partial_rotary_factor"] = 0.25, ["mrope_section"] = new JsonArray(11, 11, 10), ["mrope_interleaved"] = true },
        },
        ["vision_config"] = new JsonObject
        {
            ["depth"] = Tower.Depth,
            ["hidden_size"] = Tower.Width,
            ["intermediate_size"] = Tower.Inner,
            ["num_heads"] = Tower.Heads,
            ["out_hidden_size"] = Hidden,
            ["num_position_embeddings"] = 2304,
            ["deepstack_visual_indexes"] = new JsonArray(),
        },
    };

    private IEnumerable<(string, int[])> Block(string prefix, bool attends)
    {
        var (queries, keys, values) = (Heads * Head, KeyValueHeads * Head, ValueHeads * State);
        (string Name, int[] Shape)[] tensors =
        [
            ("input_layernorm.weight", [Hidden]), ("post_attention_layernorm.weight", [Hidden]),
            ("mlp.gate_proj.weight", [Inner, Hidden]), ("mlp.up_proj.weight", [Inner, Hidden]), ("mlp.down_proj.weight", [Hidden, Inner]),
            .. attends
                ? ((string, int[])[])[
                    ("self_attn.q_proj.weight", [2 * queries, Hidden]), ("self_attn.k_proj.weight", [keys, Hidden]), ("self_attn.v_proj.weight", [keys, Hidden]), ("self_attn.o_proj.weight", [Hidden, queries]),
                    ("self_attn.q_norm.weight", [Head]), ("self_attn.k_norm.weight", [Head])]
                : [
                    ("linear_attn.in_proj_qkv.weight", [Channels, Hidden]), ("linear_attn.in_proj_z.weight", [values, Hidden]), ("linear_attn.in_proj_a.weight", [ValueHeads, Hidden]),
                    ("linear_attn.in_proj_b.weight", [ValueHeads, Hidden]), ("linear_attn.out_proj.weight", [Hidden, values]), ("linear_attn.conv1d.weight", [Channels, 1, 4]),
                    ("linear_attn.A_log", [ValueHeads]), ("linear_attn.dt_bias", [ValueHeads]), ("linear_attn.norm.weight", [State])],
        ];
        return tensors.Select(tensor => (prefix + tensor.Name, tensor.Shape));
    }

    private IEnumerable<(string, int[])> Vision(string prefix)
    {
        var (depth, width, _, inner) = Tower;
        return
        [
            (prefix + "patch_embed.proj.weight", [width, 3, 2, 16, 16]), (prefix + "patch_embed.proj.bias", [width]), (prefix + "pos_embed.weight", [2304, width]),
            .. Enumerable.Range(0, depth).SelectMany(i => Named($"{prefix}blocks.{i}.", ("norm1", width, 0), ("norm2", width, 0), ("attn.qkv", 3 * width, width), ("attn.proj", width, width), ("mlp.linear_fc1", inner, width), ("mlp.linear_fc2", width, inner))),
            .. Named(prefix + "merger.", ("norm", width, 0), ("linear_fc1", 4 * width, 4 * width), ("linear_fc2", Hidden, 4 * width)),
        ];
    }

    private static IEnumerable<(string, int[])> Named(string prefix, params (string Name, int Outputs, int Inputs)[] layers)
        => layers.SelectMany(layer => ((string, int[])[])[($"{prefix}{layer.Name}.weight", layer.Inputs == 0 ? [layer.Outputs] : [layer.Outputs, layer.Inputs]), ($"{prefix}{layer.Name}.bias", [layer.Outputs])]);
}
