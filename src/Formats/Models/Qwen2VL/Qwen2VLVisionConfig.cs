using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen2VL;

/// <summary>Reads the vision tower's extents.</summary>
internal static class Qwen2VLVisionConfig
{
    private const int MaxPixels = 1 << 12;

    /// <summary>Reads <c>vision_config</c>; defaults of Qwen2VLVisionConfig. <c>embed_dim</c> is the tower's width, <c>hidden_size</c> the decoder's.</summary>
    public static VisionConfig Read(ConfigSection section, TextConfig text)
    {
        var width = section.Whole("embed_dim", 1, ConfigLimits.Width, 1280);
        var vision = new VisionConfig
        {
            Depth = section.Whole("depth", 1, ConfigLimits.Layers, 32),
            HiddenSize = width,
            IntermediateSize = Inner(section, width),
            Heads = section.Whole("num_heads", 1, ConfigLimits.Heads, 16),
            OutHiddenSize = section.Whole("hidden_size", 1, ConfigLimits.Width, 3584),
            PatchSize = section.Whole("patch_size", 1, MaxPixels, 14),
            SpatialMergeSize = section.Whole("spatial_merge_size", 1, 16, 2),
            TemporalPatchSize = section.Whole("temporal_patch_size", 1, 16, 2),
            Channels = section.Whole("in_channels", "in_chans", 3, 3, 3),
        };
        section.RequireVisionHeads("embed_dim", width, vision.Heads);
        section.RequireDecoderWidth("hidden_size", vision.OutHiddenSize, text);
        section.RequireWhole("spatial_patch_size", vision.PatchSize);
        section.RequireText("hidden_act", "quick_gelu");
        section.RequireAxialRotary(Qwen2VLVisionTower.RotaryTheta);
        return vision;
    }

    // transformers truncates embed_dim · mlp_ratio.
    private static int Inner(ConfigSection section, int width)
    {
        var inner = Math.Truncate(width * section.Number("mlp_ratio", 0.01, 1000, 4));
        return inner is >= 1 and <= ConfigLimits.Width ? (int)inner : throw section.Unsupported("mlp_ratio", FormattableString.Invariant($"makes an inner width of {inner}; 1 to {ConfigLimits.Width} is supported"));
    }
}
