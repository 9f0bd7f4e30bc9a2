using System.Globalization;
using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen3VL;

/// <summary>The vision tower of Qwen3-VL (Qwen3-VL technical report, section 2): learned and rotary positions, and rows for the decoder's first blocks from its own.</summary>
public static class Qwen3VLVisionTower
{
    /// <summary>What no configuration changes.</summary>
    internal const double RotaryTheta = 10000;

    private const float NormEpsilon = 1e-6f;

    /// <summary>Describes a tower of these extents.</summary>
    public static VisionTowerDescription Describe(VisionConfig config)
    {
        var patch = checked(config.Channels * config.TemporalPatchSize * config.PatchSize * config.PatchSize);
        var steps = Steps(config);
        return new VisionTowerDescription
        {
            Config = config,
            PatchEmbedding = Linear("visual.patch_embed.proj", config.HiddenSize, patch),
            Positions = new PositionTable("visual.pos_embed.weight", config.PositionSide),
            RotaryTheta = RotaryTheta,
            Blocks = [.. Enumerable.Range(0, config.Depth).Select(index => new BlockDescription(Prefix("blocks", index), steps))],
            Merger = Merger("visual.merger.", config, joinsFirst: false),
            Deepstack = [.. config.DeepstackBlocks.Select((block, level) => new DeepstackMerger(block, Merger(Prefix("deepstack_merger_list", level), config, joinsFirst: true)))],
        };
    }

    private static BlockStep[] Steps(VisionConfig config)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        LinearDescription Attention(string name) => Linear("attn." + name, hidden, hidden);
        return
        [
            new NormalizeStep(Norm("norm1", hidden)),
            Project(Attention("q"), Attention("k"), Attention("v")) with { FusedName = "attn.qkv" },
            new RotateStep(),
            new AttendStep(config.Heads, config.Heads, hidden / config.Heads, AttentionSpan.Frame),
            Project(Attention("proj")),
            new AddStep(),
            new NormalizeStep(Norm("norm2", hidden)),
            Project(Linear("mlp.linear_fc1", inner, hidden)),
            new ActivateStep(Activation.TanhGelu),
            Project(Linear("mlp.linear_fc2", hidden, inner)),
            new AddStep(),
        ];
    }

    // The last merger norms patches and joins them, the others norm what they have joined.
    private static BlockDescription Merger(string prefix, VisionConfig config, bool joinsFirst)
    {
        var rows = config.SpatialMergeSize * config.SpatialMergeSize;
        var merged = checked(config.HiddenSize * rows);
        return new BlockDescription(prefix,
        [
            .. joinsFirst ? new BlockStep[] { new JoinStreamStep(rows), new NormalizeStep(Norm("norm", merged)) } : [new NormalizeStep(Norm("norm", config.HiddenSize)), new JoinStep(rows)],
            Project(Linear("linear_fc1", merged, merged)),
            new ActivateStep(),
            Project(Linear("linear_fc2", config.OutHiddenSize, merged)),
        ]);
    }

    private static string Prefix(string list, int index) => string.Create(CultureInfo.InvariantCulture, $"visual.{list}.{index}.");

    private static ProjectStep Project(params LinearDescription[] linears) => new(linears);

    private static LinearDescription Linear(string name, int outputs, int inputs) => new(name, outputs, inputs, BiasPresence.Required);

    private static NormDescription Norm(string name, int size) => new(name, NormKind.Layer, size, NormEpsilon);
}
