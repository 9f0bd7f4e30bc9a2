using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>Reads the vision tower's extents.</summary>
internal static class Qwen25VisionConfig
{
    private const int MaxPixels = 1 << 12;

    private static readonly int[] DefaultFullAttentionBlocks = [7, 15, 23, 31];

    /// <summary>Reads <c>vision_config</c>; defaults of Qwen2_5_VLVisionConfig.</summary>
    public static VisionConfig Read(ConfigSection section, TextConfig text)
    {
        var depth = section.Whole("depth", 1, ConfigLimits.Layers, 32);
        var vision = new VisionConfig
        {
            Depth = depth,
            HiddenSize = section.Whole("hidden_size", 1, ConfigLimits.Width, 3584),
            IntermediateSize = section.Whole("intermediate_size", 1, ConfigLimits.Width, 3420),
            Heads = section.Whole("num_heads", 1, ConfigLimits.Heads, 16),
            OutHiddenSize = section.Whole("out_hidden_size", 1, ConfigLimits.Width, 3584),
            PatchSize = section.Whole("patch_size", 1, MaxPixels, 14),
            SpatialMergeSize = section.Whole("spatial_merge_size", 1, 16, 2),
            TemporalPatchSize = section.Whole("temporal_patch_size", 1, 16, 2),
            WindowSize = section.Whole("window_size", 1, MaxPixels, 112),
            FullAttentionBlocks = section.Wholes("fullatt_block_indexes", 0, depth - 1) ?? [.. DefaultFullAttentionBlocks.Where(block => block < depth)],
            Channels = section.Whole("in_channels", "in_chans", 3, 3, 3),
        };
        section.RequireVisionHeads("hidden_size", vision.HiddenSize, vision.Heads);
        if (vision.WindowSize % (vision.PatchSize * vision.SpatialMergeSize) != 0)
        {
            throw section.Unsupported("window_size", $"is {vision.WindowSize}; it must be a multiple of the merged patch of {vision.PatchSize * vision.SpatialMergeSize} pixels");
        }

        section.RequireDecoderWidth("out_hidden_size", vision.OutHiddenSize, text);
        section.RequireAxialRotary(Qwen25VisionTower.RotaryTheta);
        section.RequireWhole("spatial_patch_size", vision.PatchSize);
        section.RequireText("hidden_act", "silu");
        return vision;
    }
}
