using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen3VL;

/// <summary>Reads the vision tower's extents.</summary>
internal static class Qwen3VLVisionConfig
{
    private const int MaxPixels = 1 << 12;
    private const int MaxPositions = 1 << 20;

    /// <summary>Qwen3VLVisionConfig's default.</summary>
    public static readonly int[] DefaultDeepstackBlocks = [8, 16, 24];

    /// <summary>Reads <c>vision_config</c>; defaults of Qwen3VLVisionConfig.</summary>
    /// <param name="section">The object.</param>
    /// <param name="text">The decoder's extents.</param>
    /// <param name="deepstackBlocks">What holds where it does not name the blocks behind which rows for the decoder's first blocks are taken.</param>
    public static VisionConfig Read(ConfigSection section, TextConfig text, int[] deepstackBlocks)
    {
        var depth = section.Whole("depth", 1, ConfigLimits.Layers, 27);
        var positions = section.Whole("num_position_embeddings", 1, MaxPositions, 2304);
        var vision = new VisionConfig
        {
            Depth = depth,
            HiddenSize = section.Whole("hidden_size", 1, ConfigLimits.Width, 1152),
            IntermediateSize = section.Whole("intermediate_size", 1, ConfigLimits.Width, 4304),
            Heads = section.Whole("num_heads", 1, ConfigLimits.Heads, 16),
            OutHiddenSize = section.Whole("out_hidden_size", 1, ConfigLimits.Width, 3584),
            PatchSize = section.Whole("patch_size", 1, MaxPixels, 16),
            SpatialMergeSize = section.Whole("spatial_merge_size", 1, 16, 2),
            TemporalPatchSize = section.Whole("temporal_patch_size", 1, 16, 2),
            PositionSide = (int)Math.Sqrt(positions),
            DeepstackBlocks = section.Wholes("deepstack_visual_indexes", 0, depth - 1) ?? deepstackBlocks,
            Channels = section.Whole("in_channels", 3, 3, 3),
        };
        section.RequireVisionHeads("hidden_size", vision.HiddenSize, vision.Heads);
        if (vision.PositionSide * vision.PositionSide != positions)
        {
            throw section.Unsupported("num_position_embeddings", $"is {positions}; it must be a square");
        }

        // Levels that share a block, or have none, or come in another order, are of no published model.
        if (vision.DeepstackBlocks.Count > text.Layers || vision.DeepstackBlocks.Any(block => block >= depth) || !vision.DeepstackBlocks.SequenceEqual(vision.DeepstackBlocks.Distinct().Order()))
        {
            throw section.Unsupported("deepstack_visual_indexes", $"is [{string.Join(", ", vision.DeepstackBlocks)}]; it must ascend, below depth {depth}, and have no more entries than the decoder's {text.Layers} layers");
        }

        section.RequireDecoderWidth("out_hidden_size", vision.OutHiddenSize, text);
        section.RequireText("hidden_act", "gelu_pytorch_tanh");
        section.RequireAxialRotary(Qwen3VLVisionTower.RotaryTheta);
        return vision;
    }
}
