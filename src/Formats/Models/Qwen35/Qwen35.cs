using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen35;

/// <summary>Qwen3.5, dense: Qwen3-VL's prompts and tower, and a decoder most of whose layers carry a state of constant size.</summary>
public sealed class Qwen35 : Qwen3VL.Qwen3VL
{
    /// <summary>Qwen3_5TextConfig's defaults.</summary>
    private static readonly TextDefaults Text = new(4096, 32, 12288, 16, 4, 1e-6)
    {
        HeadSize = 256,
        RotatedShare = 0.25,
        LayerTypes = [Qwen35LinearAttention.LinearLayer, Qwen35LinearAttention.FullLayer],
        VocabularySize = 248320,
        RopeTheta = 10_000,
        MropeSections = [11, 11, 10],
        InterleavesMrope = true,
        MaxPositions = 32768,
    };

    /// <inheritdoc/>
    public override string Name => "Qwen35";

    /// <inheritdoc/>
    public override string DisplayName => "Qwen3.5";

    /// <inheritdoc/>
    public override IReadOnlyList<string> ModelTypes { get; } = ["qwen3_5"];

    /// <inheritdoc/>
    public override TensorNames TensorNames { get; } = new() { Renamed = [("model.language_model.", "model."), ("model.visual.", "visual.")], Further = [GuessHeadDescription.Prefix] };

    /// <summary>The block of thought is closed before an answer begins, as the templates write it that are told not to let a model think.</summary>
    public override ChatFormat Chat { get; } = new("<|im_start|>", "<|im_end|>", DefaultSystem: null)
    {
        Tools = ToolFormat.Tags,
        Thought = new ThoughtFormat("<think>", "</think>"),
        TrimsContent = true,
        Templates =
        [
            "273d8e0e683b885071fb17e08d71e5f2a5ddfb5309756181681de4f5a1822d80", // the hub's, of 0.8B and 2B
            "a4aee8afcf2e0711942cf848899be66016f8d14a889ff9ede07bca099c28f715", // the hub's, of 4B and more, with enable_thinking = false
            "344a366f07451199b446506148a4d32e4328c63d75ebe645e62e79408b9e2964", // one of tests, without thought
        ],
    };

    /// <inheritdoc/>
    public override ModelConfig ReadConfig(ConfigSection model)
    {
        var section = model.Required("text_config");
        var text = TextConfigReader.Read(section, model, Text);
        section.RequireFlag("attention_bias", false);
        section.RequireFlag("attn_output_gate", true);
        return new ModelConfig
        {
            Family = this,
            Text = text with { LinearAttention = Qwen35LinearAttention.Read(section, text), GuessBlocks = GuessBlocks(section) },
            Vision = Qwen3VL.Qwen3VLVisionConfig.Read(model.Required("vision_config"), text, deepstackBlocks: []),
            ImageTokenId = model.TokenId("image_token_id", 248056),
            VideoTokenId = model.TokenId("video_token_id", 248057),
            VisionStartTokenId = model.TokenId("vision_start_token_id", 248053),
            VisionEndTokenId = model.TokenId("vision_end_token_id", 248054),
        };
    }

    // A head with an embedding of its own is of another form; no published model has one.
    private static int GuessBlocks(ConfigSection section) => section.Flag("mtp_use_dedicated_embeddings", false) ? 0 : section.Whole("mtp_num_hidden_layers", 0, ConfigLimits.Layers, 1);

    /// <inheritdoc/>
    public override DecoderDescription Decoder(ModelConfig config) => Qwen35Decoder.Describe(config.Text, config.Vision.DeepstackBlocks.Count);
}
