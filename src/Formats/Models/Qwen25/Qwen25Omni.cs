using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>Qwen2.5-Omni's thinker: text, vision and audio. It may come alone, or within the whole model beside the parts that speak (<c>talker.</c>, <c>token2wav.</c>).</summary>
public sealed class Qwen25Omni : Qwen25Family
{
    private const string Whole = "qwen2_5_omni";

    /// <summary>Qwen2_5OmniTextConfig's defaults.</summary>
    private static readonly TextDefaults Text = new(3584, 28, 18944, 28, 4, 1e-6);

    /// <inheritdoc/>
    public override string Name => "Qwen25Omni";

    /// <inheritdoc/>
    public override string DisplayName => "Qwen2.5-Omni";

    /// <inheritdoc/>
    public override IReadOnlyList<string> ModelTypes { get; } = [Whole, "qwen2_5_omni_thinker"];

    /// <inheritdoc/>
    public override IReadOnlyList<Modality> Modalities { get; } = [Modality.Text, Modality.Vision, Modality.Audio];

    /// <inheritdoc/>
    public override TensorNames TensorNames => base.TensorNames with { Within = "thinker." };

    /// <summary>The markers are the family's, the template writes clips too; this is the hub's.</summary>
    public override ChatFormat Chat { get; } = new("<|im_start|>", "<|im_end|>", "You are a helpful assistant.") { Tools = ToolFormat.TaggedJson, Templates = ["d027e14db2e64eb2c23597240d42ea747b4fd5efd6e6a7604a990949c610f79c"] };

    /// <summary><c>Qwen2_5OmniProcessor</c> gives videos limits of their own.</summary>
    public override PreprocessorConfig Preprocessor => base.Preprocessor with { VideoPixels = new PixelLimits(128 * 28 * 28, 768 * 28 * 28) };

    /// <inheritdoc/>
    public override bool HearsVideos => true;

    /// <inheritdoc/>
    public override ConfigSection ModelSection(ConfigSection root) => root.Text("model_type") == Whole ? root.Required("thinker_config") : root;

    /// <inheritdoc/>
    public override ModelConfig ReadConfig(ConfigSection model)
    {
        var text = TextConfigReader.Read(model.Required("text_config"), model, Text);
        return new ModelConfig
        {
            Family = this,
            Text = text,
            Vision = Qwen25VisionConfig.Read(model.Required("vision_config"), text),
            Audio = Qwen25AudioConfig.Read(model.Required("audio_config"), text),
            ImageTokenId = model.TokenId("image_token_id", "image_token_index", 151655),
            VideoTokenId = model.TokenId("video_token_id", "video_token_index", 151656),
            AudioTokenId = model.TokenId("audio_token_id", "audio_token_index", 151646),
            VisionStartTokenId = model.TokenId("vision_start_token_id", "vision_start_token_index", 151652),
            VisionEndTokenId = model.TokenId("vision_end_token_id", "vision_end_token_index", 151653),
            AudioStartTokenId = model.TokenId("audio_start_token_id", "audio_start_token_index", 151647),
            AudioEndTokenId = model.TokenId("audio_end_token_id", "audio_end_token_index", 151648),
            PositionsPerSecond = model.Whole("position_id_per_seconds", 1, 10_000, 25),
            SecondsPerChunk = model.Number("seconds_per_chunk", 0.01, 3600, 2),
        };
    }

    /// <summary>A video with its sound stands between the markers of both.</summary>
    public override IReadOnlyList<TextSegment> Write(ContentPart medium, ModelConfig config) => medium is not VideoPart { Sound: not null } ? base.Write(medium, config) :
    [
        TextSegment.Token(config.VisionStartTokenId), TextSegment.Token(config.AudioStartTokenId), TextSegment.Token(config.VideoTokenId),
        TextSegment.Token(config.AudioEndTokenId), TextSegment.Token(config.VisionEndTokenId),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<MediaExtent> Interleave(ModelConfig config, MediaExtent video, MediaExtent sound)
        => InterleavedVideo.Runs(video, sound, (int)(config.PositionsPerSecond * config.SecondsPerChunk));
}
