using System.Globalization;
using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen3VL;

/// <summary>Qwen3-VL, dense: text and vision.</summary>
public class Qwen3VL : ModelFamily
{
    /// <summary>Qwen3VLTextConfig's defaults.</summary>
    private static readonly TextDefaults Text = new(4096, 32, 22016, 32, 32, 1e-6)
    {
        HeadSize = 128,
        VocabularySize = 151936,
        RopeTheta = 5_000_000,
        MropeSections = [24, 20, 20],
        InterleavesMrope = true,
        MaxPositions = 128_000,
    };

    /// <inheritdoc/>
    public override string Name => "Qwen3VL";

    /// <inheritdoc/>
    public override string DisplayName => "Qwen3-VL";

    /// <inheritdoc/>
    public override IReadOnlyList<string> ModelTypes { get; } = ["qwen3_vl"];

    /// <inheritdoc/>
    public override IReadOnlyList<Modality> Modalities { get; } = [Modality.Text, Modality.Vision];

    /// <inheritdoc/>
    public override TensorNames TensorNames { get; } = new() { Renamed = [("model.language_model.", "model."), ("model.visual.", "visual.")] };

    /// <inheritdoc/>
    public override ChatFormat Chat { get; } = new("<|im_start|>", "<|im_end|>", DefaultSystem: null)
    {
        Tools = ToolFormat.TaggedJson,
        Templates =
        [
            "9d879ef91075acbfb2df7e441fd79d60bacfca989cf6d511d2af45c681e94f10", // the hub's, of Instruct models
            "344a366f07451199b446506148a4d32e4328c63d75ebe645e62e79408b9e2964", // one of tests, that says the same in fewer words
        ],
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Processors { get; } = ["Qwen2VLImageProcessor", "Qwen2VLImageProcessorFast", "Qwen3VLVideoProcessor"];

    /// <summary>Limits as the image and video processors of transformers assume them; a video's are of all its frames. Colours as every published file has them.</summary>
    public override PreprocessorConfig Preprocessor { get; } = new()
    {
        MinPixels = 56 * 56,
        MaxPixels = 28 * 28 * 1280,
        VideoPixels = new PixelLimits(128 * 32 * 32, 768 * 32 * 32),
        VideoPixelsCountFrames = true,
        ImageMean = [0.5f, 0.5f, 0.5f],
        ImageStd = [0.5f, 0.5f, 0.5f],
    };

    /// <inheritdoc/>
    public override ModelConfig ReadConfig(ConfigSection model)
    {
        var section = model.Required("text_config");
        var text = TextConfigReader.Read(section, model, Text);
        section.RequireFlag("attention_bias", false);
        return new ModelConfig
        {
            Family = this,
            Text = text,
            Vision = Qwen3VLVisionConfig.Read(model.Required("vision_config"), text, Qwen3VLVisionConfig.DefaultDeepstackBlocks),
            ImageTokenId = model.TokenId("image_token_id", 151655),
            VideoTokenId = model.TokenId("video_token_id", 151656),
            VisionStartTokenId = model.TokenId("vision_start_token_id", 151652),
            VisionEndTokenId = model.TokenId("vision_end_token_id", 151653),
        };
    }

    /// <inheritdoc/>
    public override DecoderDescription Decoder(ModelConfig config) => Qwen3VLDecoder.Describe(config.Text, config.Vision.DeepstackBlocks.Count);

    /// <inheritdoc/>
    public override VisionTowerDescription VisionTower(ModelConfig config) => Qwen3VLVisionTower.Describe(config.Vision);

    /// <summary>A video is its rows of frames, each an image behind the time at which it stands.</summary>
    public override IReadOnlyList<TextSegment> Write(ContentPart medium, ModelConfig config)
    {
        if (medium is not VideoPart video)
        {
            return base.Write(medium, config);
        }

        var together = config.Vision.TemporalPatchSize;
        var rows = (video.Frames.Count + together - 1) / together;
        return [.. Enumerable.Range(0, rows).SelectMany(row => new[]
        {
            TextSegment.Plain(string.Create(CultureInfo.InvariantCulture, $"<{Seconds(row, together, video):F1} seconds>")),
            TextSegment.Token(config.VisionStartTokenId), TextSegment.Token(config.VideoTokenId), TextSegment.Token(config.VisionEndTokenId),
        })];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<MediaExtent> VideoExtents(ModelConfig config, int frames, int rows, int columns, double secondsPerFrame)
        => [.. Enumerable.Repeat(MediaExtent.Video(config, 1, rows, columns, secondsPerFrame), frames)];

    // Halfway between the first and the last frame of a row; the last of all stands for those that lack.
    private static double Seconds(int row, int together, VideoPart video)
    {
        var first = row * together;
        var last = Math.Min(first + together, video.Frames.Count) - 1;
        return (At(first) + At(last)) / 2;

        double At(int frame) => video.FrameTimes is { } times ? times[frame] : frame / video.FramesPerSecond;
    }
}
