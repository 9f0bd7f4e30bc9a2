using System.Globalization;
using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>The vision tower of Qwen2.5-VL and Qwen2.5-Omni (Qwen2.5-VL technical report, section 2.1.1).</summary>
public static class Qwen25VisionTower
{
    /// <summary>The base of the rotary frequencies; configurations say it since transformers 5, and no other.</summary>
    internal const double RotaryTheta = 10000;

    private const float NormEpsilon = 1e-6f; // Configurations do not carry it.

    /// <summary>Describes a tower of these extents.</summary>
    public static VisionTowerDescription Describe(VisionConfig config)
    {
        var merge = config.SpatialMergeSize * config.SpatialMergeSize;
        var merged = checked(config.HiddenSize * merge);
        var patch = checked(config.Channels * config.TemporalPatchSize * config.PatchSize * config.PatchSize);
        return new VisionTowerDescription
        {
            Config = config,
            PatchEmbedding = new LinearDescription("visual.patch_embed.proj", config.HiddenSize, patch, BiasPresence.None),
            RotaryTheta = RotaryTheta,
            Blocks = [.. Enumerable.Range(0, config.Depth).Select(index => new BlockDescription(string.Create(CultureInfo.InvariantCulture, $"visual.blocks.{index}."), Steps(config, index)))],
            Merger = new BlockDescription("visual.merger.",
            [
                new NormalizeStep(Norm("ln_q", config)),
                new JoinStep(merge),
                Project(new LinearDescription("mlp.0", merged, merged, BiasPresence.Required)),
                new ActivateStep(),
                Project(new LinearDescription("mlp.2", config.OutHiddenSize, merged, BiasPresence.Required)),
            ]),
        };
    }

    private static BlockStep[] Steps(VisionConfig config, int index)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        LinearDescription Linear(string name, int outputs, int inputs) => new(name, outputs, inputs, BiasPresence.Required);
        LinearDescription Attention(string name) => Linear("attn." + name, hidden, hidden);
        return
        [
            new NormalizeStep(Norm("norm1", config)),
            Project(Attention("q"), Attention("k"), Attention("v")) with { FusedName = "attn.qkv" }, // One tensor in VL checkpoints, three in Omni's.
            new RotateStep(),
            new AttendStep(config.Heads, config.Heads, hidden / config.Heads, config.FullAttentionBlocks.Contains(index) ? AttentionSpan.Frame : AttentionSpan.Window),
            Project(Linear("attn.proj", hidden, hidden)),
            new AddStep(),
            new NormalizeStep(Norm("norm2", config)),
            Project(Linear("mlp.gate_proj", inner, hidden), Linear("mlp.up_proj", inner, hidden)),
            new GateStep(),
            Project(Linear("mlp.down_proj", hidden, inner)),
            new AddStep(),
        ];
    }

    private static ProjectStep Project(params LinearDescription[] linears) => new(linears);

    private static NormDescription Norm(string name, VisionConfig config) => new(name, NormKind.RootMeanSquare, config.HiddenSize, NormEpsilon);
}
