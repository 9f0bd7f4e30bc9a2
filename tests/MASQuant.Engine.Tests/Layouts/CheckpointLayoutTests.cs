using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>What files of a checkpoint say against each other, and what other tools leave in its place.</summary>
public sealed class CheckpointLayoutTests : IDisposable
{
    private const string Config = "config.json";
    private const string Index = "model.safetensors.index.json";
    private const string Tie = "tie_word_embeddings";

    private readonly TinyCopy _vl = new(RepositoryFiles.VlTiny);

    public void Dispose() => _vl.Dispose();

    [Theory]
    [InlineData(true, false, false, true)]
    [InlineData(false, true, false, true)]
    [InlineData(true, null, false, true)]
    [InlineData(null, true, false, true)]
    [InlineData(true, true, true, false)]
    [InlineData(true, false, true, false)]
    [InlineData(false, null, true, false)]
    [InlineData(null, null, true, false)]
    public void The_head_is_what_is_stored_whatever_flags_say_against_each_other(bool? root, bool? text, bool isStored, bool isTied)
    {
        File.Copy(_vl.File("config.nested.json"), _vl.File(Config), overwrite: true);
        _vl.Edit(Config, json => Say(json, root)).Edit(Config, json => Say(json["text_config"]!.AsObject(), text));
        if (isStored)
        {
            _vl.Rename(name => name, TensorPayload.OfBFloat16("lm_head.weight", new float[1280 * 128], 1280, 128));
        }

        Assert.Equal(isTied, _vl.Config().Text.TieWordEmbeddings);

        static void Say(JsonObject section, bool? flag)
        {
            section.Remove(Tie);
            if (flag is not null)
            {
                section[Tie] = flag;
            }
        }
    }

    [Fact]
    public void An_untied_configuration_without_a_head_is_refused()
    {
        _vl.Edit(Config, json => json[Tie] = false);
        var refusal = Assert.Throws<MASQuantException>(() => _vl.Config());
        Assert.Equal(DiagnosticCodes.TensorMissing, refusal.Code);
        Assert.Contains("set tie_word_embeddings to true", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Saving into a folder that held shards leaves their index; the shards are gone, or not.</summary>
    [Fact]
    public void A_stale_index_beside_a_single_file_is_passed_over_and_two_sets_of_weights_are_refused()
    {
        WriteIndex("model-00001-of-00001.safetensors");
        using (var checkpoint = _vl.Open())
        {
            Assert.True(checkpoint.TryGet("model.norm.weight", out _));
        }

        SafetensorsWriter.Write(_vl.File("model-00001-of-00001.safetensors"), [TensorPayload.OfFloats("model.norm.weight", new float[128], 128)]);
        var refusal = Assert.Throws<MASQuantException>(_vl.Open);
        Assert.Equal(DiagnosticCodes.CheckpointIndexInvalid, refusal.Code);
        Assert.Contains("holds the weights twice", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_may_name_the_single_file()
    {
        WriteIndex("model.safetensors");
        using var checkpoint = _vl.Open();
        Assert.Equal(["model.norm.weight"], checkpoint.Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_a_file()
    {
        using var omni = new TinyCopy(RepositoryFiles.OmniTiny);
        foreach (var file in Directory.GetFiles(omni.Path, "*.json"))
        {
            File.WriteAllBytes(file, [0xEF, 0xBB, 0xBF, .. File.ReadAllBytes(file)]);
        }

        using var model = LoadedModel.Load(omni.Path);
        Assert.NotEmpty(model.Generate(new Prompt().Text("Quote a verse."), new GenerationOptions { MaxTokens = 2 }));
    }

    /// <summary>FP8 belongs to the format; a scale or a cache that some tool left, and nothing reads, is no reason to refuse. One that is read has a message of its own.</summary>
    [Fact]
    public void Tensors_of_8_bit_floating_point_are_refused_where_they_are_read()
    {
        DataType[] types = [DataType.F8E4M3, DataType.F8E5M2, DataType.F8E8M0];
        _vl.Rename(name => name, [.. types.Select((type, i) => TensorPayload.OfBytes($"model.layers.0.extra.{i}", type, new byte[6], 2, 3))]);
        using (LoadedModel.Load(_vl.Path))
        {
        }

        _vl.Rename(name => name == "model.norm.weight" ? null : name, TensorPayload.OfBytes("model.norm.weight", DataType.F8E4M3, new byte[128], 128));
        var refusal = Assert.Throws<MASQuantException>(() => LoadedModel.Load(_vl.Path));
        Assert.Equal(DiagnosticCodes.TensorMismatch, refusal.Code);
        Assert.Contains("F8_E4M3", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"quantization_config":{"quant_method":"awq"}}""", "'quantization_config', awq")]
    [InlineData("""{"quantization_config":{"quant_method":"gptq","bits":4}}""", "gptq")]
    [InlineData("""{"quantization_config":{"quant_method":"bitsandbytes"}}""", "bitsandbytes")]
    [InlineData("""{"text_config":{"quantization_config":{"quant_method":"compressed-tensors"}}}""", "compressed-tensors")]
    [InlineData("""{"quantization_config":{"quant_method":"fp8"}}""", "fp8")]
    [InlineData("""{"quantization":{"group_size":64,"bits":4}}""", "'quantization', 4 bits")]
    public void Quantized_weights_are_refused(string members, string named)
    {
        File.Copy(_vl.File("config.nested.json"), _vl.File(Config), overwrite: true);
        _vl.Edit(Config, json => Merge(json, JsonNode.Parse(members)!.AsObject()));
        AssertQuantized(_vl, named);
    }

    [Fact]
    public void Quantized_weights_are_refused_inside_of_omni()
    {
        using var omni = new TinyCopy(RepositoryFiles.OmniTiny);
        omni.Edit(Config, json => json["thinker_config"]!["quantization_config"] = new JsonObject { ["quant_method"] = "gptq" });
        AssertQuantized(omni, "gptq");
    }

    [Theory]
    [InlineData("model.gguf", "llama.cpp")]
    [InlineData("pytorch_model.bin", "safe_serialization")]
    [InlineData("consolidated.00.pth", "safe_serialization")]
    [InlineData("weights.safetensors", "under their own names")]
    [InlineData("model.safetensors.incomplete", "has not ended")]
    public void Weights_of_other_tools_are_named(string file, string named)
    {
        File.Move(_vl.File("model.safetensors"), _vl.File(file));
        var refusal = Assert.Throws<MASQuantException>(_vl.Open);
        Assert.Equal(DiagnosticCodes.CheckpointMissing, refusal.Code);
        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere", "There is no such folder")]
    [InlineData("model.safetensors", "This is a file")]
    [InlineData("config.json", "This is a file")]
    public void What_is_no_folder_is_told_so(string name, string reason)
    {
        var refusal = Assert.Throws<MASQuantException>(() => Checkpoint.Open(_vl.File(name)));
        Assert.Equal((DiagnosticCodes.CheckpointMissing, _vl.File(name)), (refusal.Code, refusal.File));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_is_to_be_merged_whether_or_not_a_configuration_lies_beside_it()
    {
        File.Move(_vl.File("model.safetensors"), _vl.File("adapter_model.safetensors"));
        _vl.Write("adapter_config.json", """{"peft_type":"LORA","base_model_name_or_path":"some/base"}""");
        foreach (var open in (Action[])[() => _vl.Open(), () => ModelConfigReader.ReadFolder(_vl.Delete(Config).Path)])
        {
            var refusal = Assert.Throws<MASQuantException>(open);
            Assert.Equal(DiagnosticCodes.AdapterAlone, refusal.Code);
            Assert.Contains("'some/base'", refusal.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Without its biases a decoder would answer, otherwise.</summary>
    [Theory]
    [InlineData("q_proj")]
    [InlineData("k_proj")]
    [InlineData("v_proj")]
    public void A_bias_that_is_missing_is_named(string linear)
    {
        var bias = $"model.layers.2.self_attn.{linear}.bias";
        _vl.Rename(name => name == bias ? null : name);
        var refusal = Assert.Throws<MASQuantException>(() => LoadedModel.Load(_vl.Path));
        Assert.Equal(DiagnosticCodes.TensorMissing, refusal.Code);
        Assert.Contains(bias, refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>One that nothing reads would be passed over.</summary>
    [Fact]
    public void A_bias_where_there_is_none_is_refused()
    {
        const string Bias = "visual.patch_embed.proj.bias";
        _vl.Rename(name => name, TensorPayload.OfFloats(Bias, new float[64], 64));
        var refusal = Assert.Throws<MASQuantException>(() => LoadedModel.Load(_vl.Path));
        Assert.Equal(DiagnosticCodes.TensorMismatch, refusal.Code);
        Assert.Contains($"'{Bias}' is stored", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("self_attn.q_proj.lora_A.weight")]
    [InlineData("self_attn.q_proj.lora_B.default.weight")]
    [InlineData("mlp.up_proj.lora_magnitude_vector.weight")]
    [InlineData("mlp.up_proj.base_layer.weight")]
    public void An_adapter_between_the_models_tensors_is_refused(string name)
    {
        _vl.Rename(stored => stored, TensorPayload.OfFloats("model.layers.1." + name, new float[1], 1));
        var refusal = Assert.Throws<MASQuantException>(_vl.Open);
        Assert.Equal(DiagnosticCodes.TensorNamesForeign, refusal.Code);
        Assert.Contains($"'model.layers.1.{name}'. Merge them", refusal.Message, StringComparison.Ordinal);
    }

    // Tools that know adapters put it on top, also where it was merged before.
    [Theory]
    [InlineData("adapter_model.safetensors")]
    [InlineData("adapter_model.bin")]
    public void An_adapter_beside_a_model_is_refused(string weights)
    {
        File.WriteAllText(_vl.File(weights), "");
        _vl.Open().Dispose();
        _vl.Write("adapter_config.json", """{"peft_type":"LORA","base_model_name_or_path":"some/base"}""");
        var refusal = Assert.Throws<MASQuantException>(_vl.Open);
        Assert.Equal((DiagnosticCodes.AdapterAlone, _vl.Path), (refusal.Code, refusal.File));
        Assert.Contains("an adapter of 'some/base' beside a model", refusal.Message, StringComparison.Ordinal);
        _vl.Delete(weights); // What was merged leaves its configuration.
        _vl.Open().Dispose();
    }

    [Theory]
    [InlineData("language_model.", "MLX")]
    [InlineData("base_model.model.", "PEFT")]
    [InlineData("blk.", "llama.cpp")]
    [InlineData("decoder.layers.", "Megatron")]
    [InlineData("module.", "DeepSpeed")]
    [InlineData("_orig_mod.", "torch.compile")]
    public void Names_of_other_tools_are_named(string prefix, string tool)
    {
        _vl.Rename(name => prefix + name);
        var refusal = Assert.Throws<MASQuantException>(_vl.Open);
        Assert.Equal(DiagnosticCodes.TensorNamesForeign, refusal.Code);
        Assert.Contains(tool, refusal.Message, StringComparison.Ordinal);
    }

    private void WriteIndex(string shard) => _vl.Write(Index, $$$"""{"weight_map":{"model.norm.weight":"{{{shard}}}"}}""");

    private static void AssertQuantized(TinyCopy model, string named)
    {
        var refusal = Assert.Throws<MASQuantException>(() => model.Config());
        Assert.Equal((DiagnosticCodes.CheckpointQuantized, model.File(Config)), (refusal.Code, refusal.File));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Take the original checkpoint", refusal.Message, StringComparison.Ordinal);
    }

    private static void Merge(JsonObject target, JsonObject members)
    {
        foreach (var (name, value) in members)
        {
            if (value is JsonObject inner && target[name] is JsonObject section)
            {
                Merge(section, inner);
            }
            else
            {
                target[name] = value!.DeepClone();
            }
        }
    }
}
