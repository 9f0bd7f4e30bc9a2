using System.Globalization;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models.Qwen3VL;

/// <summary>The decoder of Qwen3-VL: every head's queries and keys are normed before they are rotated, and the first blocks get rows of the tower.</summary>
public static class Qwen3VLDecoder
{
    /// <summary>Describes a decoder of these extents.</summary>
    /// <param name="config">The extents.</param>
    /// <param name="deepstack">How many blocks get rows.</param>
    public static DecoderDescription Describe(TextConfig config, int deepstack)
    {
        const string Embedding = "model.embed_tokens.weight";
        return new DecoderDescription
        {
            Config = config,
            Embedding = Embedding,
            Blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new BlockDescription(string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}."), Steps(config, layer < deepstack ? layer : null)))],
            FinalNorm = Norm("model.norm", config.HiddenSize, config),
            Head = config.TieWordEmbeddings ? Embedding : "lm_head.weight",
            Rotary = new RotaryDescription(config.HeadSize, config.RopeTheta, config.MropeSections, config.Yarn) { IsInterleaved = true },
        };
    }

    private static List<BlockStep> Steps(TextConfig config, int? deepstack)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        var (queries, keys) = (config.AttentionHeads * config.HeadSize, config.KeyValueHeads * config.HeadSize);
        List<BlockStep> steps =
        [
            new NormalizeStep(Norm("input_layernorm", hidden, config)),
            Project(InputGroup.Qkv, Linear("self_attn.q_proj", queries, hidden), Linear("self_attn.k_proj", keys, hidden), Linear("self_attn.v_proj", keys, hidden)),
            new NormalizeHeadsStep(Norm("self_attn.q_norm", config.HeadSize, config), Norm("self_attn.k_norm", config.HeadSize, config)),
            new RotateStep(),
            new AttendStep(config.AttentionHeads, config.KeyValueHeads, config.HeadSize, AttentionSpan.Causal),
            Project(InputGroup.O, Linear("self_attn.o_proj", hidden, queries)),
            new AddStep(),
            new NormalizeStep(Norm("post_attention_layernorm", hidden, config)),
            Project(InputGroup.GateUp, Linear("mlp.gate_proj", inner, hidden), Linear("mlp.up_proj", inner, hidden)),
            new GateStep(),
            Project(InputGroup.Down, Linear("mlp.down_proj", hidden, inner)),
            new AddStep(),
        ];
        if (deepstack is { } level)
        {
            steps.Add(new DeepstackStep(level));
        }

        return steps;
    }

    private static ProjectStep Project(InputGroup group, params LinearDescription[] linears) => new(linears, group);

    private static LinearDescription Linear(string name, int outputs, int inputs) => new(name, outputs, inputs, BiasPresence.None);

    private static NormDescription Norm(string name, int size, TextConfig config) => new(name, NormKind.RootMeanSquare, size, config.RmsNormEpsilon);
}
