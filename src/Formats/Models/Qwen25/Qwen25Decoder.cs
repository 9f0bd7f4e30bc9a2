using System.Globalization;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>The decoder of Qwen2.5-VL and of Qwen2.5-Omni's thinker.</summary>
public static class Qwen25Decoder
{
    /// <summary>Describes a decoder of these extents.</summary>
    public static DecoderDescription Describe(TextConfig config)
    {
        const string Embedding = "model.embed_tokens.weight";
        var steps = Steps(config);
        return new DecoderDescription
        {
            Config = config,
            Embedding = Embedding,
            Blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new BlockDescription(string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}."), steps))],
            FinalNorm = Norm("model.norm", config),
            Head = config.TieWordEmbeddings ? Embedding : "lm_head.weight",
            Rotary = new RotaryDescription(config.HeadSize, config.RopeTheta, config.MropeSections, config.Yarn),
        };
    }

    private static BlockStep[] Steps(TextConfig config)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        var (queries, keys) = (config.AttentionHeads * config.HeadSize, config.KeyValueHeads * config.HeadSize);
        LinearDescription Attention(string name, int outputs) => new("self_attn." + name, outputs, hidden, BiasPresence.Required);
        return
        [
            new NormalizeStep(Norm("input_layernorm", config)),
            new ProjectStep([Attention("q_proj", queries), Attention("k_proj", keys), Attention("v_proj", keys)], InputGroup.Qkv),
            new RotateStep(),
            new AttendStep(config.AttentionHeads, config.KeyValueHeads, config.HeadSize, AttentionSpan.Causal),
            new ProjectStep([new("self_attn.o_proj", hidden, queries)], InputGroup.O),
            new AddStep(),
            new NormalizeStep(Norm("post_attention_layernorm", config)),
            new ProjectStep([new("mlp.gate_proj", inner, hidden), new("mlp.up_proj", inner, hidden)], InputGroup.GateUp),
            new GateStep(),
            new ProjectStep([new("mlp.down_proj", hidden, inner)], InputGroup.Down),
            new AddStep(),
        ];
    }

    private static NormDescription Norm(string name, TextConfig config) => new(name, NormKind.RootMeanSquare, config.HiddenSize, config.RmsNormEpsilon);
}
