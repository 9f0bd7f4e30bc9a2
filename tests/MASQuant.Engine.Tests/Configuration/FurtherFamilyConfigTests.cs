using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

/// <summary>What the families behind the first two read of config.json. The files are the published ones' members, 2B each.</summary>
public sealed class FurtherFamilyConfigTests
{
    private const string Qwen2VL = """
        {"model_type":"qwen2_vl","vision_start_token_id":151652,"vision_end_token_id":151653,"vision_token_id":151654,"image_token_id":151655,"video_token_id":151656,
        "hidden_act":"silu","hidden_size":1536,"intermediate_size":8960,"max_position_embeddings":32768,"num_attention_heads":12,"num_hidden_layers":28,"num_key_value_heads":2,
        "rms_norm_eps":1e-06,"rope_theta":1000000.0,"tie_word_embeddings":true,"use_sliding_window":false,"vocab_size":151936,"rope_scaling":{"type":"mrope","mrope_section":[16,24,24]},
        "vision_config":{"depth":32,"embed_dim":1280,"mlp_ratio":4,"num_heads":16,"in_chans":3,"hidden_size":1536,"patch_size":14,"spatial_merge_size":2,"spatial_patch_size":14,"temporal_patch_size":2}}
        """;

    private const string Qwen3VL = """
        {"model_type":"qwen3_vl","image_token_id":151655,"video_token_id":151656,"vision_start_token_id":151652,"vision_end_token_id":151653,"tie_word_embeddings":true,
        "text_config":{"attention_bias":false,"head_dim":128,"hidden_act":"silu","hidden_size":2048,"intermediate_size":6144,"max_position_embeddings":262144,"num_attention_heads":16,"num_hidden_layers":28,
        "num_key_value_heads":8,"rms_norm_eps":1e-06,"rope_scaling":{"mrope_interleaved":true,"mrope_section":[24,20,20],"rope_type":"default"},"rope_theta":5000000,"tie_word_embeddings":true,"vocab_size":151936},
        "vision_config":{"deepstack_visual_indexes":[5,11,17],"depth":24,"hidden_act":"gelu_pytorch_tanh","hidden_size":1024,"in_channels":3,"intermediate_size":4096,"num_heads":16,
        "num_position_embeddings":2304,"out_hidden_size":2048,"patch_size":16,"spatial_merge_size":2,"temporal_patch_size":2}}
        """;

    // 0.8B; the extents that its model card and the hub's file say.
    private const string Qwen35 = """
        {"model_type":"qwen3_5","image_token_id":248056,"video_token_id":248057,"vision_start_token_id":248053,"vision_end_token_id":248054,"tie_word_embeddings":true,
        "text_config":{"attention_bias":false,"attn_output_gate":true,"full_attention_interval":4,"head_dim":256,"hidden_act":"silu","hidden_size":1024,"intermediate_size":3584,
        "layer_types":["linear_attention","linear_attention","linear_attention","full_attention","linear_attention","linear_attention","linear_attention","full_attention"],
        "linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,"linear_num_value_heads":16,"linear_value_head_dim":128,"max_position_embeddings":262144,"mtp_num_hidden_layers":1,
        "num_attention_heads":8,"num_hidden_layers":8,"num_key_value_heads":2,"rms_norm_eps":1e-06,"tie_word_embeddings":true,"vocab_size":248320,
        "rope_parameters":{"mrope_interleaved":true,"mrope_section":[11,11,10],"partial_rotary_factor":0.25,"rope_theta":10000000,"rope_type":"default"}},
        "vision_config":{"deepstack_visual_indexes":[],"depth":12,"hidden_act":"gelu_pytorch_tanh","hidden_size":768,"in_channels":3,"intermediate_size":3072,"num_heads":12,
        "num_position_embeddings":2304,"out_hidden_size":1024,"patch_size":16,"spatial_merge_size":2,"temporal_patch_size":2}}
        """;

    [Fact]
    public void Layers_that_carry_a_state_are_those_that_the_file_names()
    {
        var config = Read(Qwen35);
        var linear = config.Text.LinearAttention!;
        Assert.Equal(("Qwen35", 256, 64, 1e7f), (config.Family.Name, config.Text.HeadSize, config.Text.RotatedSize, config.Text.RopeTheta));
        Assert.Equal((16, 16, 128, 128, 4), (linear.KeyHeads, linear.ValueHeads, linear.KeySize, linear.ValueSize, linear.ConvolutionWidth));
        Assert.Equal([0, 1, 2, 4, 5, 6], linear.Layers);
        Assert.Equal(linear.Layers, Read(Changed(Qwen35, "text_config.layer_types", "null")).Text.LinearAttention!.Layers); // every fourth attends
        Assert.Empty(config.Vision.DeepstackBlocks);
        Assert.Empty(Read(Changed(Qwen35, "vision_config.deepstack_visual_indexes", "null")).Vision.DeepstackBlocks);

        var decoder = config.Decoder();
        Assert.Equal([true, true, true, false], decoder.Blocks.Take(4).Select(block => block.Steps.Any(step => step is DeltaRuleStep)));
        Assert.Equal([("linear_attn.in_proj_qkv", 6144), ("linear_attn.in_proj_z", 2048), ("linear_attn.out_proj", 1024)], decoder.Blocks[0].Linears.Take(3).Select(linear => (linear.Name, linear.Outputs)));
        Assert.Equal(("self_attn.q_proj", 2 * 8 * 256), (decoder.Blocks[3].Linears[0].Name, decoder.Blocks[3].Linears[0].Outputs));
        Assert.Equal((256, 64), (decoder.Rotary.HeadSize, decoder.Rotary.RotatedSize));
        Assert.All(decoder.Blocks.SelectMany(block => block.Norms).Append(decoder.FinalNorm), norm => Assert.Equal(norm.Name != "linear_attn.norm", norm.IsStoredLessOne));
    }

    [Fact]
    public void The_head_that_guesses_ahead_is_a_part_of_its_own()
    {
        string[] names = ["model.language_model.norm.weight", "model.visual.merger.norm.weight", "mtp.fc.weight", "mtp.layers.0.self_attn.q_proj.weight", "lm_head.weight"];
        Assert.Equal(["model.norm.weight", "visual.merger.norm.weight", .. names[2..]], Read(Qwen35).Family.TensorNames.Map(names).Select(name => name.Canonical));
    }

    [Theory]
    [InlineData("text_config.attn_output_gate", "false")]
    [InlineData("text_config.attention_bias", "true")]
    [InlineData("text_config.layer_types", "[\"linear_attention\"]")]
    [InlineData("text_config.layer_types", "[\"linear_attention\",\"sliding_attention\"]")]
    [InlineData("text_config.linear_num_key_heads", "3")]
    [InlineData("text_config.linear_value_head_dim", "100")]
    [InlineData("text_config.linear_value_head_dim", "4096")]
    [InlineData("text_config.linear_key_head_dim", "0")]
    [InlineData("text_config.linear_conv_kernel_dim", "17")]
    [InlineData("text_config.full_attention_interval", "0")]
    [InlineData("text_config.rope_parameters.partial_rotary_factor", "0.5", "mrope_section")]
    [InlineData("text_config.rope_parameters.partial_rotary_factor", "1.5")]
    [InlineData("text_config.rope_parameters.partial_rotary_factor", "0")]
    [InlineData("text_config.rope_parameters.partial_rotary_factor", "0.001")]
    [InlineData("text_config.rope_parameters.partial_rotary_factor", "0.293")] // 75 of 256 values
    [InlineData("text_config.rope_parameters.mrope_interleaved", "false")]
    [InlineData("vision_config.out_hidden_size", "2048")]
    public void What_Qwen35_cannot_have_is_refused(string path, string value, string? named = null) => AssertRefused(Qwen35, path, value, named);

    [Theory]
    [InlineData("layer_types", "[\"linear_attention\"]")]
    [InlineData("rope_scaling.partial_rotary_factor", "0.25")]
    public void Families_without_states_do_not_take_them(string member, string value) => AssertRefused(Qwen3VL, $"text_config.{member}", value, null);

    [Fact]
    public void The_published_files_read_as_they_say()
    {
        var (second, third) = (Read(Qwen2VL), Read(Qwen3VL));
        Assert.Equal(("Qwen2VL", 1536, 28, 128, true), (second.Family.Name, second.Text.HiddenSize, second.Text.Layers, second.Text.HeadSize, second.Text.TieWordEmbeddings));
        Assert.Equal((1280, 5120, 1536, null), (second.Vision.HiddenSize, second.Vision.IntermediateSize, second.Vision.OutHiddenSize, second.Vision.WindowSize));
        Assert.Equal(("Qwen3VL", 2048, 28, 128, 262144), (third.Family.Name, third.Text.HiddenSize, third.Text.Layers, third.Text.HeadSize, third.Text.MaxPositions));
        Assert.Equal((5e6f, 48, 16), (third.Text.RopeTheta, third.Vision.PositionSide, third.Vision.PatchSize));
        Assert.Equal([5, 11, 17], third.Vision.DeepstackBlocks);
        Assert.Equal([true, true, true, false], third.Decoder().Blocks.Take(4).Select(block => block.Steps[^1] is DeepstackStep));
    }

    [Fact]
    public void A_heads_width_need_not_be_the_streams_share()
    {
        var config = Read(Changed(Qwen3VL, "text_config.num_attention_heads", "32")); // as 4B's 2560 and 32 heads of 128 do not
        Assert.Equal((2048, 32, 128), (config.Text.HiddenSize, config.Text.AttentionHeads, config.Text.HeadSize));
        Assert.Equal((4096, 2048), (config.Decoder().Blocks[0].Linears[0].Outputs, config.Decoder().Blocks[0].Linears[3].Outputs));
    }

    [SkippableFact]
    public void A_flat_and_a_nested_file_read_the_same()
    {
        var folder = FamilyFixtures.Model(FamilyFixtures.Qwen2VL);
        Assert.Equal(
            JsonSerializer.Serialize(ModelConfigReader.ReadFolder(folder)),
            JsonSerializer.Serialize(ModelConfigReader.Read(File.ReadAllBytes(Path.Combine(folder, "config.nested.json")), "config.nested.json")));
    }

    [Theory]
    [InlineData("vision_config.hidden_size", "1280")] // the decoder's, not the tower's
    [InlineData("vision_config.embed_dim", "1288", "num_heads")]
    [InlineData("vision_config.mlp_ratio", "0")]
    [InlineData("vision_config.mlp_ratio", "1000")]
    [InlineData("vision_config.hidden_act", "\"gelu\"")]
    [InlineData("vision_config.spatial_patch_size", "16")]
    [InlineData("vision_config.in_chans", "4")]
    [InlineData("vision_config.rope_parameters", "{\"rope_theta\":500}", "rope_theta")]
    [InlineData("head_dim", "64")]
    [InlineData("rope_scaling.mrope_interleaved", "true")]
    public void What_Qwen2VL_cannot_have_is_refused(string path, string value, string? named = null) => AssertRefused(Qwen2VL, path, value, named);

    [Theory]
    [InlineData("vision_config.num_position_embeddings", "2305")]
    [InlineData("vision_config.deepstack_visual_indexes", "[5, 24]")]
    [InlineData("vision_config.deepstack_visual_indexes", "[11, 5]")]
    [InlineData("vision_config.deepstack_visual_indexes", "[5, 5]")]
    [InlineData("vision_config.deepstack_visual_indexes", "null")] // the default is of 27 blocks
    [InlineData("vision_config.num_heads", "12")]
    [InlineData("vision_config.hidden_act", "\"gelu\"")]
    [InlineData("vision_config.out_hidden_size", "1024")]
    [InlineData("vision_config.rope_parameters", "{\"rope_theta\":500}", "rope_theta")]
    [InlineData("text_config.attention_bias", "true")]
    [InlineData("text_config.head_dim", "127")]
    [InlineData("text_config.head_dim", "64", "mrope_section")]
    [InlineData("text_config.rope_scaling.mrope_interleaved", "false")]
    public void What_Qwen3VL_cannot_have_is_refused(string path, string value, string? named = null) => AssertRefused(Qwen3VL, path, value, named);

    private static void AssertRefused(string json, string path, string value, string? named)
    {
        var error = Assert.Throws<MASQuantException>(() => Read(Changed(json, path, value)));
        Assert.Equal(DiagnosticCodes.ConfigOutOfRange, error.Code);
        Assert.Contains(named ?? path.Split('.')[^1], error.Message, StringComparison.Ordinal);
    }

    private static string Changed(string json, string path, string value)
    {
        var (root, keys) = (JsonNode.Parse(json)!, path.Split('.'));
        keys[..^1].Aggregate(root, (node, key) => node[key]!)[keys[^1]] = JsonNode.Parse(value);
        return root.ToJsonString();
    }

    private static ModelConfig Read(string json) => ModelConfigReader.Read(Encoding.UTF8.GetBytes(json), "config.json");
}
