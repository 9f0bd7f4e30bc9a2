using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>What Qwen2.5-VL and Qwen2.5-Omni have in common.</summary>
public abstract class Qwen25Family : ModelFamily
{
    /// <summary>As transformers' image processor assumes it.</summary>
    public override PreprocessorConfig Preprocessor { get; } = new()
    {
        MinPixels = 56 * 56,
        MaxPixels = 28 * 28 * 1280,
        ImageMean = [0.48145466f, 0.4578275f, 0.40821073f],
        ImageStd = [0.26862954f, 0.26130258f, 0.27577711f],
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Processors { get; } =
    [
        "Qwen2VLImageProcessor", "Qwen2VLImageProcessorFast", "Qwen2_5_VLImageProcessor", "Qwen2VLVideoProcessor", "WhisperFeatureExtractor",
    ];

    /// <inheritdoc/>
    public override ChatFormat Chat { get; } = new("<|im_start|>", "<|im_end|>", "You are a helpful assistant.")
    {
        Tools = ToolFormat.TaggedJson,
        Templates =
        [
            "a0bc6f6fc7a29a80017a433e8f03a1cc1236e838a944a2d034295a60c4f2fddb", // the hub's
            "449c70b4476453859fab908af0413f6b42f22b4a1fb66168c668543023ac3a6c", // one of tests, that says the same in fewer words
        ],
    };

    /// <summary>Newer tools keep the decoder and the tower under <c>model.</c></summary>
    public override TensorNames TensorNames { get; } = new() { Renamed = [("model.language_model.", "model."), ("model.visual.", "visual.")] };

    /// <inheritdoc/>
    public override FrameSampling Sampling(ModelConfig config) => new StepSampling(config.Vision.TemporalPatchSize);

    /// <inheritdoc/>
    public override DecoderDescription Decoder(ModelConfig config) => Qwen25Decoder.Describe(config.Text);

    /// <inheritdoc/>
    public override VisionTowerDescription VisionTower(ModelConfig config) => Qwen25VisionTower.Describe(config.Vision);

    /// <inheritdoc/>
    public override AudioTowerDescription? AudioTower(ModelConfig config) => config.Audio is null ? null : Qwen25AudioTower.Describe(config.Audio);
}
