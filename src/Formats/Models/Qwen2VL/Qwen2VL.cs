using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;

namespace MASQuant.Formats.Models.Qwen2VL;

/// <summary>Qwen2-VL: text and vision. Decoder, files and prompts are those of the generation that followed; the tower is its own.</summary>
public sealed class Qwen2VL : Qwen25Family
{
    /// <summary>Qwen2VLTextConfig's defaults.</summary>
    private static readonly TextDefaults Text = new(8192, 80, 29568, 64, 8, 1e-5);

    /// <inheritdoc/>
    public override string Name => "Qwen2VL";

    /// <inheritdoc/>
    public override string DisplayName => "Qwen2-VL";

    /// <inheritdoc/>
    public override IReadOnlyList<string> ModelTypes { get; } = ["qwen2_vl"];

    /// <inheritdoc/>
    public override IReadOnlyList<Modality> Modalities { get; } = [Modality.Text, Modality.Vision];

    /// <inheritdoc/>
    public override ModelConfig ReadConfig(ConfigSection model)
    {
        var textSection = model.Section("text_config") ?? model;
        var text = TextConfigReader.Read(textSection, model, Text);
        int TokenId(string key, int fallback) => model.TokenId(key, textSection.TokenId(key, fallback));
        return new ModelConfig
        {
            Family = this,
            Text = text,
            Vision = Qwen2VLVisionConfig.Read(model.Required("vision_config"), text),
            ImageTokenId = TokenId("image_token_id", 151655),
            VideoTokenId = TokenId("video_token_id", 151656),
            VisionStartTokenId = TokenId("vision_start_token_id", 151652),
            VisionEndTokenId = TokenId("vision_end_token_id", 151653),
        };
    }

    /// <inheritdoc/>
    public override VisionTowerDescription VisionTower(ModelConfig config) => Qwen2VLVisionTower.Describe(config.Vision);

    /// <summary>Temporal positions count rows of frames, whatever their rate.</summary>
    public override IReadOnlyList<MediaExtent> VideoExtents(ModelConfig config, int frames, int rows, int columns, double secondsPerFrame)
        => base.VideoExtents(config, frames, rows, columns, secondsPerFrame: 1);
}
