using System.Globalization;
using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen2VL;

/// <summary>The vision tower of Qwen2-VL (Qwen2-VL technical report, section 2.1): every patch of a frame sees all others.</summary>
public static class Qwen2VLVisionTower
{
    /// <summary>What no configuration changes.</summary>
    internal const double RotaryTheta = 10000;

    private const float NormEpsilon = 1e-6f;

    /// <summary>Describes a tower of these extents.</summary>
    public static VisionTowerDescription Describe(VisionConfig config)
    {
        var merge = config.SpatialMergeSize * config.SpatialMergeSize;
        var merged = checked(config.HiddenSize * merge);
        var patch = checked(config.Channels * config.TemporalPatchSize * config.PatchSize * config.PatchSize);
        var steps = Steps(config);
        return new VisionTowerDescription
        {
            Config = config,
            PatchEmbedding = new LinearDescription("visual.patch_embed.proj", config.HiddenSize, patch, BiasPresence.None),
            RotaryTheta = RotaryTheta,
            Blocks = [.. Enumerable.Range(0, config.Depth).Select(index => new BlockDescription(string.Create(CultureInfo.InvariantCulture, $"visual.blocks.{index}."), steps))],
            Merger = new BlockDescription("visual.merger.",
            [
                new NormalizeStep(Norm("ln_q", config)),
                new JoinStep(merge),
                Project(Linear("mlp.0", merged, merged)),
                new ActivateStep(),
                Project(Linear("mlp.2", config.OutHiddenSize, merged)),
            ]),
        };
    }

    private static BlockStep[] Steps(VisionConfig config)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        LinearDescription Attention(string name) => Linear("attn." + name, hidden, hidden);
        return
        [
            new NormalizeStep(Norm("norm1", config)),
            Project(Attention("q"), Attention("k"), Attention("v")) with { FusedName = "attn.qkv" },
            new RotateStep(),
            new AttendStep(config.Heads, config.Heads, hidden / config.Heads, AttentionSpan.Frame),
            Project(Attention("proj")),
            new AddStep(),
            new NormalizeStep(Norm("norm2", config)),
            Project(Linear("mlp.fc1", inner, hidden)),
            new ActivateStep(Activation.QuickGelu),
            Project(Linear("mlp.fc2", hidden, inner)),
            new AddStep(),
        ];
    }

    private static ProjectStep Project(params LinearDescription[] linears) => new(linears);

    private static LinearDescription Linear(string name, int outputs, int inputs) => new(name, outputs, inputs, BiasPresence.Required);

    private static NormDescription Norm(string name, VisionConfig config) => new(name, NormKind.Layer, config.HiddenSize, NormEpsilon);
}
