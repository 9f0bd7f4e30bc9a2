namespace MASQuant.Formats.Configuration;

/// <summary>Reads the towers' extents out of <c>config.json</c>.</summary>
internal static class TowerConfigReader
{
    private const int MaxWidth = 1 << 20;
    private const int MaxHeads = 1 << 10;
    private const int MaxLayers = 1 << 10;
    private const int MaxPixels = 1 << 12;
    private const int MaxFrames = 1 << 20;

    private static readonly int[] DefaultFullAttentionBlocks = [7, 15, 23, 31];

    /// <summary>Reads <c>vision_config</c>; defaults of Qwen2_5_VLVisionConfig.</summary>
    public static VisionConfig ReadVision(ConfigSection section, TextConfig text)
    {
        var depth = section.Whole("depth", 1, MaxLayers, 32);
        var vision = new VisionConfig
        {
            Depth = depth,
            HiddenSize = section.Whole("hidden_size", 1, MaxWidth, 3584),
            IntermediateSize = section.Whole("intermediate_size", 1, MaxWidth, 3420),
            Heads = section.Whole("num_heads", 1, MaxHeads, 16),
            OutHiddenSize = section.Whole("out_hidden_size", 1, MaxWidth, 3584),
            PatchSize = section.Whole("patch_size", 1, MaxPixels, 14),
            SpatialMergeSize = section.Whole("spatial_merge_size", 1, 16, 2),
            TemporalPatchSize = section.Whole("temporal_patch_size", 1, 16, 2),
            WindowSize = section.Whole("window_size", 1, MaxPixels, 112),
            FullAttentionBlocks = section.Wholes("fullatt_block_indexes", 0, depth - 1) ?? [.. DefaultFullAttentionBlocks.Where(block => block < depth)],
            Channels = section.Whole("in_channels", "in_chans", 3, 3, 3),
            TokensPerSecond = section.Number("tokens_per_second", 0.01, 10_000, 4),
        };
        if (vision.HiddenSize % vision.Heads != 0 || vision.HiddenSize / vision.Heads % 4 != 0)
        {
            throw section.Unsupported("num_heads", $"is {vision.Heads}; it must divide hidden_size {vision.HiddenSize} into heads whose width is a multiple of 4");
        }

        if (vision.WindowSize % (vision.PatchSize * vision.SpatialMergeSize) != 0)
        {
            throw section.Unsupported("window_size", $"is {vision.WindowSize}; it must be a multiple of the merged patch of {vision.PatchSize * vision.SpatialMergeSize} pixels");
        }

        CheckOutput(section, "out_hidden_size", vision.OutHiddenSize, text);
        CheckActivation(section, "hidden_act", "silu");
        return vision;
    }

    /// <summary>Reads <c>audio_config</c>; defaults of Qwen2_5OmniAudioEncoderConfig.</summary>
    public static AudioConfig ReadAudio(ConfigSection section, TextConfig text)
    {
        var audio = new AudioConfig
        {
            Layers = section.Whole("encoder_layers", 1, MaxLayers, 32),
            ModelSize = section.Whole("d_model", 4, MaxWidth, 1280),
            Heads = section.Whole("encoder_attention_heads", 1, MaxHeads, 20),
            FeedForwardSize = section.Whole("encoder_ffn_dim", 1, MaxWidth, 5120),
            MelBins = section.Whole("num_mel_bins", 1, 1024, 128),
            OutputSize = section.Whole("output_dim", 1, MaxWidth, 3584),
            HalfWindow = section.Whole("n_window", 1, MaxFrames, 100),
            MaxSourcePositions = section.Whole("max_source_positions", 1, MaxFrames, 1500),
        };
        if (audio.ModelSize % audio.Heads != 0 || audio.ModelSize % 2 != 0)
        {
            throw section.Unsupported("d_model", $"is {audio.ModelSize}; it must be even and a multiple of the {audio.Heads} heads");
        }

        // A window of 2·n_window frames leaves the second convolution as n_window positions.
        if (audio.HalfWindow > audio.MaxSourcePositions)
        {
            throw section.Unsupported("n_window", $"is {audio.HalfWindow}; max_source_positions is {audio.MaxSourcePositions}");
        }

        CheckOutput(section, "output_dim", audio.OutputSize, text);
        CheckActivation(section, "activation_function", "gelu");
        return audio;
    }

    private static void CheckOutput(ConfigSection section, string key, int width, TextConfig text)
    {
        if (width != text.HiddenSize)
        {
            throw section.Unsupported(key, $"is {width}; the decoder's hidden_size is {text.HiddenSize}");
        }
    }

    private static void CheckActivation(ConfigSection section, string key, string supported)
    {
        if (section.Text(key) is { } activation && activation != supported)
        {
            throw section.Unsupported(key, $"is '{activation}'; only '{supported}' is supported");
        }
    }
}
