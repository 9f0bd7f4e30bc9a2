using System.Globalization;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;

namespace MASQuant.Quantization.Tests.Families;

/// <summary>A family of which the product knows nothing: this object is all there is of it. Its decoder and tower are a known family's, its files and prompts are not.</summary>
internal sealed class ImaginedFamily : ModelFamily
{
    public override string Name => "Imagined1";

    public override string DisplayName => "Imagined-1";

    public override IReadOnlyList<string> ModelTypes { get; } = ["imagined_one"];

    public override IReadOnlyList<Modality> Modalities { get; } = [Modality.Text, Modality.Vision];

    public override TensorNames TensorNames { get; } = new() { Within = "mind.", Renamed = [("words.", "model."), ("eyes.", "visual.")] };

    public override ChatFormat Chat { get; } = new("<tool_call>", "</tool_call>", DefaultSystem: null);

    public override PreprocessorConfig Preprocessor { get; } = new()
    {
        MinPixels = 56 * 56,
        MaxPixels = 12845056,
        ImageMean = [0.48145466f, 0.4578275f, 0.40821073f],
        ImageStd = [0.26862954f, 0.26130258f, 0.27577711f],
    };

    public override ConfigSection ModelSection(ConfigSection root) => root.Required("mind");

    public override ModelConfig ReadConfig(ConfigSection model)
    {
        var text = TextConfigReader.Read(model.Required("words"), model, new TextDefaults(128, 3, 256, 4, 2, 1e-6));
        var eyes = model.Required("eyes");
        return new ModelConfig
        {
            Family = this,
            Text = text,
            Vision = new VisionConfig
            {
                Depth = eyes.Whole("depth", 1, 100),
                HiddenSize = eyes.Whole("width", 1, 1000),
                IntermediateSize = eyes.Whole("inner", 1, 1000),
                Heads = 4,
                OutHiddenSize = text.HiddenSize,
                PatchSize = 14,
                SpatialMergeSize = 2,
                TemporalPatchSize = 2,
                WindowSize = 56,
                FullAttentionBlocks = [1],
            },
            ImageTokenId = 1212,
            VideoTokenId = 1213,
            VisionStartTokenId = 1209,
            VisionEndTokenId = 1210,
        };
    }

    public override DecoderDescription Decoder(ModelConfig config) => Qwen25Decoder.Describe(config.Text);

    public override VisionTowerDescription VisionTower(ModelConfig config) => Qwen25VisionTower.Describe(config.Vision);

    // Every pair of frames stands behind its time, as an image of its own.
    public override IReadOnlyList<TextSegment> Write(ContentPart medium, ModelConfig config)
    {
        if (medium is not VideoPart video)
        {
            return base.Write(medium, config);
        }

        var pairs = (video.Frames.Count + 1) / 2;
        return [.. Enumerable.Range(0, pairs).SelectMany(pair => new[]
        {
            TextSegment.Plain(string.Create(CultureInfo.InvariantCulture, $"{2 * pair / video.FramesPerSecond:0.0} s")),
            TextSegment.Token(config.VisionStartTokenId), TextSegment.Token(config.VideoTokenId), TextSegment.Token(config.VisionEndTokenId),
        })];
    }

    public override IReadOnlyList<MediaExtent> VideoExtents(ModelConfig config, int frames, int rows, int columns, double secondsPerFrame)
        => [.. Enumerable.Repeat(MediaExtent.Video(config, 1, rows, columns, secondsPerFrame), frames)];
}
