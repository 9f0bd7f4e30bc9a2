using System.Globalization;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models.Qwen35;

/// <summary>The decoder of Qwen3.5: layers of the gated delta rule, and between them layers of attention whose output has a gate and whose heads are rotated in part.</summary>
public static class Qwen35Decoder
{
    /// <summary>Describes a decoder of these extents.</summary>
    /// <param name="config">The extents.</param>
    /// <param name="deepstack">How many blocks get rows of the tower.</param>
    public static DecoderDescription Describe(TextConfig config, int deepstack = 0)
    {
        const string Embedding = "model.embed_tokens.weight";
        return new DecoderDescription
        {
            Config = config,
            Embedding = Embedding,
            Blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new BlockDescription(string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}."), [.. Steps(config, config.LinearAttention is { } linear && linear.Layers.Contains(layer) ? Remember(config, linear) : Attend(config)), .. layer < deepstack ? new BlockStep[] { new DeepstackStep(layer) } : []]))],
            FinalNorm = Norm("model.norm", config.HiddenSize, config),
            Head = config.TieWordEmbeddings ? Embedding : "lm_head.weight",
            GuessHead = config.GuessBlocks == 1 ? GuessHead(config) : null,
            Rotary = new RotaryDescription(config.HeadSize, config.RopeTheta, config.MropeSections, config.Yarn) { RotatedSize = config.RotatedSize, IsInterleaved = true },
        };
    }

    private static GuessHeadDescription GuessHead(TextConfig config) => new()
    {
        EmbeddingNorm = Norm("mtp.pre_fc_norm_embedding", config.HiddenSize, config),
        HiddenNorm = Norm("mtp.pre_fc_norm_hidden", config.HiddenSize, config),
        Join = new ProjectStep([Linear("fc", config.HiddenSize, 2 * config.HiddenSize)]),
        Block = new BlockDescription("mtp.layers.0.", Steps(config, Attend(config))),
        FinalNorm = Norm("mtp.norm", config.HiddenSize, config),
    };

    private static BlockStep[] Steps(TextConfig config, BlockStep[] mixing)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        return
        [
            .. mixing,
            new AddStep(),
            new NormalizeStep(Norm("post_attention_layernorm", hidden, config)),
            Project(InputGroup.GateUp, Linear("mlp.gate_proj", inner, hidden), Linear("mlp.up_proj", inner, hidden)),
            new GateStep(),
            Project(InputGroup.Down, Linear("mlp.down_proj", hidden, inner)),
            new AddStep(),
        ];
    }

    // A query head's outputs of q_proj are its queries and its gate.
    private static BlockStep[] Attend(TextConfig config)
    {
        var (hidden, heads, size) = (config.HiddenSize, config.AttentionHeads, config.HeadSize);
        var keys = config.KeyValueHeads * size;
        return
        [
            new NormalizeStep(Norm("input_layernorm", hidden, config)),
            Project(InputGroup.Qkv, Linear("self_attn.q_proj", 2 * heads * size, hidden), Linear("self_attn.k_proj", keys, hidden), Linear("self_attn.v_proj", keys, hidden)),
            new SplitGatesStep(heads, size),
            new NormalizeHeadsStep(Norm("self_attn.q_norm", size, config), Norm("self_attn.k_norm", size, config)),
            new RotateStep(),
            new AttendStep(heads, config.KeyValueHeads, size, AttentionSpan.Causal),
            new GateOutputStep(),
            Project(InputGroup.O, Linear("self_attn.o_proj", hidden, heads * size)),
        ];
    }

    // a and b are a few rows and rule the whole state: they stay as they are, and read the norm's output for themselves.
    private static BlockStep[] Remember(TextConfig config, LinearAttentionConfig linear)
    {
        var (hidden, values) = (config.HiddenSize, linear.ValueHeads * linear.ValueSize);
        var channels = checked((2 * linear.KeyHeads * linear.KeySize) + values);
        return
        [
            new NormalizeStep(Norm("input_layernorm", hidden, config)),
            Project(InputGroup.Qkv, Linear("linear_attn.in_proj_qkv", channels, hidden), Linear("linear_attn.in_proj_z", values, hidden)),
            new ConvolveStep("linear_attn.conv1d.weight", channels, linear.ConvolutionWidth),
            new NormalizeStep(Norm("input_layernorm", hidden, config)),
            new ProjectStep([Linear("linear_attn.in_proj_a", linear.ValueHeads, hidden), Linear("linear_attn.in_proj_b", linear.ValueHeads, hidden)]),
            new DeltaRuleStep(linear.KeyHeads, linear.ValueHeads, linear.KeySize, linear.ValueSize, "linear_attn.A_log", "linear_attn.dt_bias"),
            new NormalizeGatedStep(new NormDescription("linear_attn.norm", NormKind.RootMeanSquare, linear.ValueSize, config.RmsNormEpsilon)),
            Project(InputGroup.O, Linear("linear_attn.out_proj", hidden, values)),
        ];
    }

    private static ProjectStep Project(InputGroup group, params LinearDescription[] linears) => new(linears, group);

    private static LinearDescription Linear(string name, int outputs, int inputs) => new(name, outputs, inputs, BiasPresence.None);

    private static NormDescription Norm(string name, int size, TextConfig config) => new(name, NormKind.RootMeanSquare, size, config.RmsNormEpsilon) { IsStoredLessOne = true };
}
