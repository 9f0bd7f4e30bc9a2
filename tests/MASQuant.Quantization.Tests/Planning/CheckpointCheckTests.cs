using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Layouts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Planning;

/// <summary>Whatever an artifact needs to open again is looked for before any work.</summary>
public sealed class CheckpointCheckTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly TinyCopy _model = new(RepositoryFiles.OmniTiny);

    public void Dispose()
    {
        _folder.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData("model.embed_tokens.weight")]
    [InlineData("model.norm.weight")]
    [InlineData("lm_head.weight")]
    [InlineData("model.layers.1.input_layernorm.weight")]
    [InlineData("model.layers.5.post_attention_layernorm.weight")]
    [InlineData("model.layers.2.mlp.down_proj.weight")]
    [InlineData("model.layers.0.self_attn.q_proj.bias")]
    [InlineData("model.layers.5.self_attn.v_proj.bias")]
    [InlineData("visual.patch_embed.proj.weight")]
    [InlineData("visual.blocks.3.attn.proj.bias")]
    [InlineData("visual.merger.mlp.2.weight")]
    [InlineData("visual.merger.ln_q.weight")]
    [InlineData("audio_tower.conv2.bias")]
    [InlineData("audio_tower.layers.2.final_layer_norm.bias")]
    [InlineData("audio_tower.proj.weight")]
    public void A_tensor_that_is_missing_is_named(string name)
        => AssertRefused(_model.Rename(stored => stored == "thinker." + name ? null : stored), DiagnosticCodes.TensorMissing, name);

    [Theory]
    [InlineData("model.norm.weight")]
    [InlineData("lm_head.weight")]
    [InlineData("visual.blocks.0.norm1.weight")]
    [InlineData("audio_tower.conv1.weight")]
    public void A_tensor_of_another_shape_is_named(string name)
        => AssertRefused(_model.Rename(stored => stored == "thinker." + name ? null : stored, TensorPayload.OfFloats("thinker." + name, new float[14], 2, 7)), DiagnosticCodes.TensorMismatch, name);

    [Fact]
    public void A_bias_where_there_is_none_is_named() => AssertRefused(
        _model.Rename(stored => stored, TensorPayload.OfFloats("thinker.audio_tower.layers.0.self_attn.k_proj.bias", new float[128], 128)), DiagnosticCodes.TensorMismatch, "k_proj.bias' is stored");

    [Fact]
    public void A_tensor_of_another_type_is_named() => AssertRefused(
        _model.Rename(stored => stored == "thinker.model.norm.weight" ? null : stored, TensorPayload.OfBytes("thinker.model.norm.weight", DataType.F8E4M3, new byte[256], 256)), DiagnosticCodes.TensorMismatch, "model.norm.weight");

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("preprocessor_config.json")]
    public void A_file_that_is_missing_is_named(string file) => AssertRefused(_model.Delete(file), DiagnosticCodes.ModelFileMissing, file);

    [Theory]
    [InlineData("generation_config.json", """{"top_p":7}""", "top_p")]
    [InlineData("preprocessor_config.json", """{"do_resize":false}""", "do_resize")]
    [InlineData("processor_config.json", """{"image_processor":{"resample":0}}""", "resample")]
    [InlineData("video_preprocessor_config.json", """{"size":{"height":4,"width":4}}""", "size")]
    public void A_file_that_asks_for_what_is_not_supported_is_named(string file, string json, string member) => AssertRefused(_model.Write(file, json), DiagnosticCodes.ConfigOutOfRange, member);

    [Fact]
    public void A_tokenizer_without_the_tokens_of_turns_is_refused()
    {
        File.WriteAllText(_model.File("tokenizer.json"), File.ReadAllText(_model.File("tokenizer.json")).Replace("<|im_start|>", "<|im_begin|>", StringComparison.Ordinal));
        AssertRefused(_model, DiagnosticCodes.ChatTokenMissing, "<|im_start|>");
    }

    /// <summary>Nothing reads the head before the artifact is opened.</summary>
    [Theory]
    [InlineData("lm_head.weight", 1280 * 256, new[] { 1280, 256 })]
    [InlineData("model.norm.weight", 256, new[] { 256 })]
    public void A_head_or_a_norm_that_is_not_finite_is_refused_before_the_first_block(string name, int count, int[] shape)
    {
        var values = new float[count];
        values[^1] = float.NaN;
        _model.Rename(stored => stored == "thinker." + name ? null : stored, TensorPayload.OfFloats("thinker." + name, values, shape));
        var job = Job(_model);
        Assert.Equal(DiagnosticCodes.TensorNotFinite, Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job)).Code);
        Assert.False(Directory.Exists(job.WorkFolder));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_head_beside_a_configuration_that_ties_it_is_told_of_where_it_differs(bool isSame)
    {
        using var vl = new TinyCopy(RepositoryFiles.VlTiny);
        float[] embedding;
        using (var source = vl.Open())
        {
            embedding = source.ReadFloats("model.embed_tokens.weight", 1280, 128);
        }

        embedding[^1] += isSame ? 0 : 1;
        vl.Rename(name => name, TensorPayload.OfBFloat16("lm_head.weight", embedding, 1280, 128));
        using var checkpoint = vl.Open();
        var warnings = new List<string>();
        CheckpointCheck.Warn(checkpoint, ModelConfigReader.Read(checkpoint), problem => warnings.Add(problem.Code));
        Assert.Equal(isSame ? [] : [DiagnosticCodes.HeadNotTied], warnings);
    }

    // The key comes first where there is a cache, and a run in the end.
    private void AssertRefused(TinyCopy model, string code, string named)
    {
        var job = Job(model);
        foreach (var begin in (Action[])[() => QuantizationPipeline.KeyOf(job), () => QuantizationPipeline.Run(job)])
        {
            var refusal = Assert.Throws<MASQuantException>(begin);
            Assert.Equal(code, refusal.Code);
            Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(job.OutputFolder));
        }
    }

    private QuantizationJob Job(TinyCopy model) => TinyRun.Job(_folder.Path) with { ModelFolder = model.Path, CalibrationFile = RepositoryFiles.Data("calibration.jsonl"), Subset = new(3, 1) };
}
