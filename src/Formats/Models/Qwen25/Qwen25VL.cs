using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>Qwen2.5-VL: text and vision. Its <c>config.json</c> is flat as on the hub, or has the <c>text_config</c> of newer tools.</summary>
public sealed class Qwen25VL : Qwen25Family
{
    /// <summary>Qwen2_5_VLTextConfig's defaults.</summary>
    private static readonly TextDefaults Text = new(8192, 80, 29568, 64, 8, 1e-5);

    /// <inheritdoc/>
    public override string Name => "Qwen25VL";

    /// <inheritdoc/>
    public override string DisplayName => "Qwen2.5-VL";

    /// <inheritdoc/>
    public override IReadOnlyList<string> ModelTypes { get; } = ["qwen2_5_vl"];

    /// <inheritdoc/>
    public override IReadOnlyList<Modality> Modalities { get; } = [Modality.Text, Modality.Vision];

    /// <inheritdoc/>
    public override ModelConfig ReadConfig(ConfigSection model)
    {
        var textSection = model.Section("text_config") ?? model;
        var visionSection = model.Required("vision_config");
        var text = TextConfigReader.Read(textSection, model, Text);
        int TokenId(string key, int fallback) => model.TokenId(key, textSection.TokenId(key, fallback));
        return new ModelConfig
        {
            Family = this,
            Text = text,
            Vision = Qwen25VisionConfig.Read(visionSection, text),
            ImageTokenId = TokenId("image_token_id", 151655),
            VideoTokenId = TokenId("video_token_id", 151656),
            VisionStartTokenId = TokenId("vision_start_token_id", 151652),
            VisionEndTokenId = TokenId("vision_end_token_id", 151653),
            PositionsPerSecond = visionSection.Number("tokens_per_second", 0.01, 10_000, 4),
        };
    }
}
