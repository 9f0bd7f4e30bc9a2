using System.Text;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

/// <summary>Tools leave members out that have the defaults of transformers' classes, which are written down here as version 4.57 has them.</summary>
public sealed class AbsentMemberTests
{
    [Theory]
    [InlineData("qwen2_vl", "hidden_size", 8192, 80, 29568, 64, 8, 1e-5, 152064, 1e6, 32768)]
    [InlineData("qwen2_5_vl", "out_hidden_size", 8192, 80, 29568, 64, 8, 1e-5, 152064, 1e6, 32768)]
    [InlineData("qwen2_5_omni_thinker", "out_hidden_size", 3584, 28, 18944, 28, 4, 1e-6, 152064, 1e6, 32768)]
    [InlineData("qwen3_vl", "out_hidden_size", 4096, 32, 22016, 32, 32, 1e-6, 151936, 5e6, 128000)]
    public void A_decoder_has_the_defaults(string type, string widthKey, int hidden, int layers, int inner, int heads, int keyHeads, double epsilon, int vocabulary, double theta, int positions)
    {
        var config = Read($$$"""{"model_type":"{{{type}}}","text_config":{},"vision_config":{"{{{widthKey}}}":{{{hidden}}}},"audio_config":{}}""");
        var text = config.Text;
        Assert.Equal((hidden, layers, inner, heads, keyHeads, 128), (text.HiddenSize, text.Layers, text.IntermediateSize, text.AttentionHeads, text.KeyValueHeads, text.HeadSize));
        Assert.Equal(((float)epsilon, vocabulary, (float)theta, positions, false), (text.RmsNormEpsilon, text.VocabularySize, text.RopeTheta, text.MaxPositions, text.TieWordEmbeddings));
        Assert.Equal((151655, 151656, 151652, 151653), (config.ImageTokenId, config.VideoTokenId, config.VisionStartTokenId, config.VisionEndTokenId));
    }

    // As version 5.24 has them, which is the first that knows the family.
    [Fact]
    public void A_decoder_with_states_has_the_defaults()
    {
        var config = Read("""{"model_type":"qwen3_5","text_config":{},"vision_config":{"out_hidden_size":4096}}""");
        var (text, linear) = (config.Text, config.Text.LinearAttention!);
        Assert.Equal((4096, 32, 12288, 16, 4, 256, 64), (text.HiddenSize, text.Layers, text.IntermediateSize, text.AttentionHeads, text.KeyValueHeads, text.HeadSize, text.RotatedSize));
        Assert.Equal((1e-6f, 248320, 1e4f, 32768, false), (text.RmsNormEpsilon, text.VocabularySize, text.RopeTheta, text.MaxPositions, text.TieWordEmbeddings));
        Assert.Equal([11, 11, 10], text.MropeSections);
        Assert.Equal((16, 32, 128, 128, 4), (linear.KeyHeads, linear.ValueHeads, linear.KeySize, linear.ValueSize, linear.ConvolutionWidth));
        Assert.Equal(Enumerable.Range(0, 32).Where(layer => layer % 4 != 3), linear.Layers);
        Assert.Equal((248056, 248057, 248053, 248054), (config.ImageTokenId, config.VideoTokenId, config.VisionStartTokenId, config.VisionEndTokenId));
        Assert.Equal((27, 1152, 4304, 16), (config.Vision.Depth, config.Vision.HiddenSize, config.Vision.IntermediateSize, config.Vision.Heads));
        Assert.Empty(config.Vision.DeepstackBlocks);
    }

    // A decoder of the towers' default width.
    [Theory]
    [InlineData("qwen2_vl", 32, 1280, 5120, 14, null, new int[0])]
    [InlineData("qwen2_5_vl", 32, 3584, 3420, 14, 112, new[] { 7, 15, 23, 31 })]
    [InlineData("qwen2_5_omni_thinker", 32, 3584, 3420, 14, 112, new[] { 7, 15, 23, 31 })]
    [InlineData("qwen3_vl", 27, 1152, 4304, 16, null, new[] { 8, 16, 24 })]
    public void A_vision_tower_has_the_defaults(string type, int depth, int hidden, int inner, int patch, int? window, int[] blocks)
    {
        var vision = OfWidth3584(type).Vision;
        Assert.Equal((depth, hidden, inner, 16, 3584), (vision.Depth, vision.HiddenSize, vision.IntermediateSize, vision.Heads, vision.OutHiddenSize));
        Assert.Equal((patch, 2, 2, 3, window), (vision.PatchSize, vision.SpatialMergeSize, vision.TemporalPatchSize, vision.Channels, vision.WindowSize));
        Assert.Equal(blocks, type == "qwen3_vl" ? vision.DeepstackBlocks : vision.FullAttentionBlocks);
        Assert.Equal(type == "qwen3_vl" ? 48 : 0, vision.PositionSide); // 2304 positions
    }

    [Fact]
    public void What_hears_has_the_defaults()
    {
        var config = OfWidth3584("qwen2_5_omni_thinker");
        Assert.Equal(new AudioConfig { Layers = 32, ModelSize = 1280, Heads = 20, FeedForwardSize = 5120, MelBins = 128, OutputSize = 3584, HalfWindow = 100, MaxSourcePositions = 1500 }, config.Audio);
        Assert.Equal((151646, 151647, 151648, 25.0, 2.0), (config.AudioTokenId, config.AudioStartTokenId, config.AudioEndTokenId, config.PositionsPerSecond, config.SecondsPerChunk));
    }

    [Fact]
    public void A_second_of_video_has_the_default_positions() => Assert.Equal(4, OfWidth3584("qwen2_5_vl").PositionsPerSecond);

    // Some versions wrote them into the decoder's section alone.
    [Theory]
    [InlineData("qwen2_vl")]
    [InlineData("qwen2_5_vl")]
    public void Ids_of_tokens_may_stand_in_the_decoders_section(string type)
    {
        var config = Read($$$"""
            {"model_type":"{{{type}}}","text_config":{"hidden_size":3584,"num_attention_heads":28,"num_key_value_heads":4,"image_token_id":1,"video_token_id":2,"vision_start_token_id":3,"vision_end_token_id":4},
            "vision_config":{},"video_token_id":7}
            """);
        Assert.Equal((1, 7, 3, 4), (config.ImageTokenId, config.VideoTokenId, config.VisionStartTokenId, config.VisionEndTokenId));
    }

    // int(embed_dim * mlp_ratio)
    [Theory]
    [InlineData("3.0009", 3841)] // 3841.152
    [InlineData("3.9999", 5119)] // 5119.872
    public void A_ratio_of_widths_is_truncated(string ratio, int inner)
        => Assert.Equal(inner, Read($$$"""{"model_type":"qwen2_vl","text_config":{},"vision_config":{"hidden_size":8192,"mlp_ratio":{{{ratio}}}}}""").Vision.IntermediateSize);

    [Theory]
    [InlineData("""{"model_type":"qwen2_5_vl","eos_token_id":7}""", new[] { 7 })]
    [InlineData("""{"model_type":"qwen2_5_vl","text_config":{"eos_token_id":[8,9]}}""", new[] { 8, 9 })]
    [InlineData("""{"model_type":"qwen2_5_vl","eos_token_id":7,"text_config":{"eos_token_id":8}}""", new[] { 7 })]
    [InlineData("""{"model_type":"qwen2_5_omni","thinker_config":{"text_config":{"eos_token_id":8}},"eos_token_id":7}""", new[] { 8 })]
    [InlineData("""{"model_type":"qwen2_5_vl"}""", new int[0])]
    public void End_tokens_that_no_generation_file_names_are_the_models(string json, int[] ids)
    {
        using var folder = new TemporaryDirectory();
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"), folder.File("model.safetensors"));
        File.WriteAllText(folder.File("config.json"), json);
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal(ids, GenerationConfigReader.Read(checkpoint).EndTokenIds);
    }

    private static ModelConfig OfWidth3584(string type)
        => Read($$$"""{"model_type":"{{{type}}}","text_config":{"hidden_size":3584,"num_attention_heads":28,"num_key_value_heads":4},"vision_config":{},"audio_config":{}}""");

    private static ModelConfig Read(string json) => ModelConfigReader.Read(Encoding.UTF8.GetBytes(json), "config.json");
}
