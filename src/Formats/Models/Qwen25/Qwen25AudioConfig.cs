using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>Reads the audio tower's extents.</summary>
internal static class Qwen25AudioConfig
{
    private const int MelBins = 128; // of the spectrogram
    private const int MaxHalfWindow = 1 << 12;
    private const int MaxFrames = 1 << 20;

    /// <summary>Reads <c>audio_config</c>; defaults of Qwen2_5OmniAudioEncoderConfig.</summary>
    public static AudioConfig Read(ConfigSection section, TextConfig text)
    {
        var audio = new AudioConfig
        {
            Layers = section.Whole("encoder_layers", 1, ConfigLimits.Layers, 32),
            ModelSize = section.Whole("d_model", 4, ConfigLimits.Width, 1280),
            Heads = section.Whole("encoder_attention_heads", 1, ConfigLimits.Heads, 20),
            FeedForwardSize = section.Whole("encoder_ffn_dim", 1, ConfigLimits.Width, 5120),
            MelBins = section.Whole("num_mel_bins", MelBins, MelBins, MelBins),
            OutputSize = section.Whole("output_dim", 1, ConfigLimits.Width, 3584),
            HalfWindow = section.Whole("n_window", 1, MaxHalfWindow, 100),
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

        section.RequireDecoderWidth("output_dim", audio.OutputSize, text);
        section.RequireFlag("scale_embedding", false);
        section.RequireText("activation_function", "gelu");
        return audio;
    }
}
