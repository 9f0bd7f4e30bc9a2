using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

public sealed class ModelConfigReaderTests
{
    [Fact]
    public void The_omni_checkpoint_reads_as_its_file_says()
    {
        var config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny);
        Assert.Equal("Qwen25Omni", config.Family.Name);
        Assert.Equal([Modality.Text, Modality.Vision, Modality.Audio], config.Modalities);
        Assert.Equal((256, 6, 768, 4, 2, 1280, 4096), (config.Text.HiddenSize, config.Text.Layers, config.Text.IntermediateSize, config.Text.AttentionHeads, config.Text.KeyValueHeads, config.Text.VocabularySize, config.Text.MaxPositions));
        Assert.Equal((1e-6f, 1e6f, false), (config.Text.RmsNormEpsilon, config.Text.RopeTheta, config.Text.TieWordEmbeddings));
        Assert.Equal([8, 12, 12], config.Text.MropeSections);
        Assert.Equal((4, 128, 256, 4, 256, 14, 2, 2, 56), (config.Vision.Depth, config.Vision.HiddenSize, config.Vision.IntermediateSize, config.Vision.Heads, config.Vision.OutHiddenSize, config.Vision.PatchSize, config.Vision.SpatialMergeSize, config.Vision.TemporalPatchSize, config.Vision.WindowSize));
        Assert.Equal([1, 3], config.Vision.FullAttentionBlocks);
        Assert.Equal(new AudioConfig { Layers = 3, ModelSize = 128, Heads = 4, FeedForwardSize = 512, MelBins = 128, OutputSize = 256, HalfWindow = 100, MaxSourcePositions = 1500 }, config.Audio);
        Assert.Equal((1212, 1213, 1203, 1209, 1210, 1204, 1205), (config.ImageTokenId, config.VideoTokenId, config.AudioTokenId, config.VisionStartTokenId, config.VisionEndTokenId, config.AudioStartTokenId, config.AudioEndTokenId));
        Assert.Equal((25.0, 2.0), (config.PositionsPerSecond, config.SecondsPerChunk));
    }

    [Fact]
    public void The_flat_and_the_nested_vl_file_read_the_same()
    {
        var flat = ModelConfigReader.ReadFolder(RepositoryFiles.VlTiny);
        var nested = ModelConfigReader.Read(File.ReadAllBytes(Path.Combine(RepositoryFiles.VlTiny, "config.nested.json")), "config.nested.json");
        Assert.Equal(Comparable(flat), Comparable(nested));
        Assert.Equal("Qwen25VL", flat.Family.Name);
        Assert.Null(flat.Audio);
        Assert.Equal([Modality.Text, Modality.Vision], flat.Modalities);
        Assert.Equal((128, 3, true, 2.0), (flat.Text.HiddenSize, flat.Text.Layers, flat.Text.TieWordEmbeddings, flat.PositionsPerSecond));
        Assert.Equal([4, 6, 6], flat.Text.MropeSections);
    }

    [Fact]
    public void A_published_vl_file_reads_with_transformers_defaults()
    {
        // Qwen2.5-VL-3B-Instruct's members; window_size, fullatt_block_indexes and tie_word_embeddings left to their defaults.
        var config = Read("""
            {"model_type":"qwen2_5_vl","vision_start_token_id":151652,"vision_end_token_id":151653,"image_token_id":151655,"video_token_id":151656,
            "hidden_act":"silu","hidden_size":2048,"intermediate_size":11008,"max_position_embeddings":128000,"num_attention_heads":16,"num_hidden_layers":36,
            "num_key_value_heads":2,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"use_sliding_window":false,"vocab_size":151936,
            "vision_config":{"depth":32,"hidden_act":"silu","hidden_size":1280,"intermediate_size":3420,"num_heads":16,"in_chans":3,"out_hidden_size":2048,"patch_size":14,
            "spatial_merge_size":2,"spatial_patch_size":14,"tokens_per_second":2,"temporal_patch_size":2},"rope_scaling":{"type":"mrope","mrope_section":[16,24,24]}}
            """);
        Assert.Equal(128, config.Text.HeadSize);
        Assert.False(config.Text.TieWordEmbeddings);
        Assert.Equal(112, config.Vision.WindowSize);
        Assert.Equal([7, 15, 23, 31], config.Vision.FullAttentionBlocks);
    }

    [Fact]
    public void A_thinker_saved_alone_and_newer_spellings_read_the_same()
    {
        var root = Omni();
        var thinker = root["thinker_config"]!.AsObject();
        var alone = thinker.DeepClone().AsObject();
        foreach (var kind in new[] { "audio", "image", "video" })
        {
            alone[$"{kind}_token_id"] = alone[$"{kind}_token_index"]!.DeepClone();
            alone.Remove($"{kind}_token_index");
        }

        var rope = alone["text_config"]!["rope_scaling"]!.DeepClone();
        rope["rope_theta"] = 1_000_000.0;
        alone["text_config"]!["rope_parameters"] = rope;
        alone["text_config"]!.AsObject().Remove("rope_scaling");
        alone["text_config"]!.AsObject().Remove("rope_theta");
        Assert.Equal(Comparable(Read(root.ToJsonString())), Comparable(Read(alone.ToJsonString())));
    }

    [Theory]
    [InlineData("\"llama\"", "'llama'")]
    [InlineData("null", "no model_type")]
    public void An_unknown_architecture_is_named_with_the_supported_ones(string type, string named)
    {
        var error = AssertRefused($$"""{"model_type":{{type}}}""", DiagnosticCodes.ArchitectureUnknown, named);
        Assert.Contains("qwen2_5_vl", error.Message, StringComparison.Ordinal);
        Assert.Contains("qwen2_5_omni", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("""{"model_type":3}""", "'model_type' is not a string")]
    [InlineData("""{"model_type":"qwen2_5_omni"}""", "'thinker_config' is missing")]
    [InlineData("""{"model_type":"qwen2_5_vl","vision_config":[]}""", "not an object")]
    public void A_malformed_file_is_refused(string json, string reason) => AssertRefused(json, DiagnosticCodes.ConfigInvalid, reason);

    [Theory]
    [InlineData("text_config.hidden_size", "0")]
    [InlineData("text_config.hidden_size", "-256")]
    [InlineData("text_config.hidden_size", "258", "num_attention_heads")]
    [InlineData("text_config.hidden_size", "99999999999")]
    [InlineData("text_config.num_hidden_layers", "100000")]
    [InlineData("text_config.num_attention_heads", "3")]
    [InlineData("text_config.num_key_value_heads", "3")]
    [InlineData("text_config.head_dim", "128")]
    [InlineData("text_config.rms_norm_eps", "-1")]
    [InlineData("text_config.rms_norm_eps", "1e999")]
    [InlineData("text_config.vocab_size", "1205", "image_token_id")]
    [InlineData("text_config.rope_scaling.mrope_section", "[8,12,11]")]
    [InlineData("text_config.rope_scaling.mrope_section", "[32]")]
    [InlineData("text_config.rope_scaling.mrope_section", "null")]
    [InlineData("text_config.rope_scaling.rope_type", "\"dynamic\"", "rope_scaling")]
    [InlineData("text_config.rope_scaling.partial_rotary_factor", "0.5")]
    [InlineData("text_config.rope_scaling.mrope_interleaved", "true")]
    [InlineData("text_config.rope_scaling.rope_theta", "10000")]
    [InlineData("text_config.rope_parameters", "{\"mrope_section\": [16, 8, 8]}")]
    [InlineData("text_config.layer_types", "[\"full_attention\",\"sliding_attention\"]")]
    [InlineData("text_config.use_sliding_window", "true")]
    [InlineData("text_config.hidden_act", "\"gelu\"")]
    [InlineData("vision_config.num_heads", "3")]
    [InlineData("vision_config.window_size", "57")]
    [InlineData("vision_config.out_hidden_size", "128")]
    [InlineData("vision_config.fullatt_block_indexes", "[4]")]
    [InlineData("vision_config.in_channels", "4")]
    [InlineData("vision_config.patch_size", "0")]
    [InlineData("audio_config.encoder_attention_heads", "3", "d_model")]
    [InlineData("audio_config.output_dim", "128")]
    [InlineData("audio_config.n_window", "1501")]
    [InlineData("audio_config.num_mel_bins", "80")]
    [InlineData("audio_config.scale_embedding", "true")]
    [InlineData("audio_config.activation_function", "\"relu\"")]
    [InlineData("seconds_per_chunk", "0")]
    [InlineData("audio_token_index", "1280", "audio_token_id")]
    [InlineData("audio_token_index", "-1")]
    public void A_value_that_no_model_can_have_is_refused_by_name(string path, string value, string? named = null)
    {
        var keys = path.Split('.');
        var root = Omni();
        var section = keys[..^1].Aggregate(root["thinker_config"]!, (node, key) => node[key]!);
        section[keys[^1]] = JsonNode.Parse(value);
        var error = Assert.Throws<MASQuantException>(() => Read(root.ToJsonString()));
        Assert.Equal(DiagnosticCodes.ConfigOutOfRange, error.Code);
        Assert.Contains(named ?? keys[^1], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text_config.hidden_size", "256.5")]
    [InlineData("text_config.hidden_size", "\"256\"")]
    [InlineData("text_config.tie_word_embeddings", "1")]
    public void A_value_of_the_wrong_type_is_refused(string path, string value)
    {
        var keys = path.Split('.');
        var root = Omni();
        root["thinker_config"]![keys[0]]![keys[1]] = JsonNode.Parse(value);
        AssertRefused(root.ToJsonString(), DiagnosticCodes.ConfigInvalid, path);
    }

    [Fact]
    public void A_folder_without_a_configuration_is_reported()
    {
        using var folder = new TemporaryDirectory();
        Assert.Equal(DiagnosticCodes.ModelFileMissing, Assert.Throws<MASQuantException>(() => ModelConfigReader.ReadFolder(folder.Path)).Code);
    }

    private static JsonNode Omni() => JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.OmniTiny, "config.json")))!;

    private static ModelConfig Read(string json) => ModelConfigReader.Read(Encoding.UTF8.GetBytes(json), "config.json");

    // Records compare lists by reference; their JSON compares the content.
    private static string Comparable(ModelConfig config) => JsonSerializer.Serialize(config);

    private static MASQuantException AssertRefused(string json, string code, string reason)
    {
        var error = Assert.Throws<MASQuantException>(() => Read(json));
        Assert.Equal(code, error.Code);
        Assert.Equal("config.json", error.File);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        return error;
    }
}
