using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;

namespace MASQuant.Formats.Models;

/// <summary>What a configuration's model is made of.</summary>
public static class ModelDescriptions
{
    /// <summary>The language model.</summary>
    public static DecoderDescription Decoder(this ModelConfig config) => Qwen25Decoder.Describe(config.Text);

    /// <summary>The vision tower.</summary>
    public static VisionTowerDescription VisionTower(this ModelConfig config) => Qwen25VisionTower.Describe(config.Vision);

    /// <summary>The audio tower; null for a model that does not hear.</summary>
    public static AudioTowerDescription? AudioTower(this ModelConfig config) => config.Audio is null ? null : Qwen25AudioTower.Describe(config.Audio);
}
