using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class CheckpointTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_omni_checkpoint_loads_with_every_tensor_of_its_index()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        using var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.OmniTiny, Index)));
        var expected = index.RootElement.GetProperty("weight_map").EnumerateObject().Select(e => e.Name["thinker.".Length..]).Order(StringComparer.Ordinal);
        Assert.Equal(expected, checkpoint.Tensors.Select(t => t.Name));
        Assert.Equal(index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64(), checkpoint.Tensors.Sum(t => (long)checkpoint.Bytes(t.Name).Length));
        Assert.Equal([1280, 256], checkpoint.Find("lm_head.weight").Shape);
        Assert.Equal([128, 3, 2, 14, 14], checkpoint.Find("visual.patch_embed.proj.weight").Shape);
        checkpoint.RequireFinite();
    }

    [Fact]
    public void A_tensor_has_the_bytes_that_its_shard_holds()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        using var shard = SafetensorsFile.Open(Path.Combine(RepositoryFiles.OmniTiny, "model-00002-of-00002.safetensors"));
        Assert.Equal(shard.Bytes("thinker.model.norm.weight").ToArray(), checkpoint.Bytes("model.norm.weight").ToArray());
    }

    [Fact]
    public void An_unsharded_checkpoint_and_its_files_load()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        Assert.Equal([1280, 128], checkpoint.Find("model.embed_tokens.weight").Shape);
        Assert.False(checkpoint.TryGet("lm_head.weight", out _));
        Assert.Equal(File.ReadAllBytes(Path.Combine(RepositoryFiles.VlTiny, "tokenizer.json")), checkpoint.ReadFile("tokenizer.json").ToArray());
        Assert.Equal(DiagnosticCodes.ModelFileMissing, Assert.Throws<MASQuantException>(() => checkpoint.ReadFile("none.json")).Code);
    }

    [Theory]
    [InlineData("thinker.model.norm.weight", "model.norm.weight")]
    [InlineData("thinker.lm_head.weight", "lm_head.weight")]
    [InlineData("thinker.audio_tower.conv1.bias", "audio_tower.conv1.bias")]
    [InlineData("talker.model.norm.weight", null)]
    [InlineData("token2wav.code2wav_dit_model.norm.weight", null)]
    [InlineData("talker2.model.norm.weight", null)]
    [InlineData("model.norm.weight", null)]
    public void A_full_omni_checkpoint_gives_its_thinker_alone(string stored, string? canonical) => AssertMaps(new Qwen25Omni(), ["thinker.model.norm.weight", stored], stored, canonical);

    [Theory]
    [InlineData("model.norm.weight", "model.norm.weight")]
    [InlineData("visual.merger.mlp.0.bias", "visual.merger.mlp.0.bias")]
    [InlineData("model.language_model.norm.weight", "model.norm.weight")]
    [InlineData("model.visual.merger.mlp.0.bias", "visual.merger.mlp.0.bias")]
    [InlineData("lm_head.weight", "lm_head.weight")]
    [InlineData("optimizer.step", null)]
    public void Older_and_newer_vl_names_map_to_one(string stored, string? canonical) => AssertMaps(new Qwen25VL(), [stored], stored, canonical);

    [Fact]
    public void Two_names_of_one_tensor_are_refused()
    {
        Write("model.safetensors", "model.norm.weight", "model.language_model.norm.weight");
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "config.json"), _folder.File("config.json"));
        AssertRefused(DiagnosticCodes.CheckpointIndexInvalid, "model.norm.weight");
    }

    [Theory]
    [InlineData("../outside.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/inside.safetensors")]
    [InlineData("..\\\\outside.safetensors")]
    [InlineData("C:outside.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    public void An_index_that_leaves_its_folder_is_refused(string shard)
    {
        using var outside = new TemporaryDirectory();
        File.WriteAllText(_folder.File(Index), $$$"""{"weight_map":{"model.norm.weight":"{{{shard}}}"}}""");
        AssertRefused(DiagnosticCodes.CheckpointIndexInvalid, "model.norm.weight");
    }

    [Theory]
    [InlineData("[]", "no weight_map")]
    [InlineData("""{"weight_map":[]}""", "no weight_map")]
    [InlineData("""{"weight_map":""", "not valid JSON")]
    [InlineData("""{"weight_map":{"a":1}}""", "no file name")]
    [InlineData("""{"weight_map":{"a":"x","a":"y"}}""", "twice")]
    public void A_malformed_index_is_refused(string json, string reason)
    {
        File.WriteAllText(_folder.File(Index), json);
        AssertRefused(DiagnosticCodes.CheckpointIndexInvalid, reason);
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        CopyOmni();
        File.Delete(_folder.File("model-00002-of-00002.safetensors"));
        Assert.EndsWith("model-00002-of-00002.safetensors", AssertRefused(DiagnosticCodes.ShardMissing, "model-00002-of-00002").File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_that_is_a_git_lfs_pointer_is_recognised()
    {
        CopyOmni();
        File.WriteAllText(_folder.File("model-00002-of-00002.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7213904\n");
        AssertRefused(DiagnosticCodes.LfsPointer, "git lfs pull");
    }

    [Fact]
    public void A_tokenizer_that_is_a_git_lfs_pointer_is_recognised()
    {
        CopyOmni();
        File.WriteAllText(_folder.File("tokenizer.json"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n");
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(DiagnosticCodes.LfsPointer, Assert.Throws<MASQuantException>(() => checkpoint.ReadFile("tokenizer.json")).Code);
    }

    [Fact]
    public void A_shard_without_a_tensor_that_the_index_places_there_is_refused()
    {
        CopyOmni();
        var index = JsonNode.Parse(File.ReadAllText(_folder.File(Index)))!;
        index["weight_map"]!["thinker.model.norm.weight"] = "model-00001-of-00002.safetensors";
        File.WriteAllText(_folder.File(Index), index.ToJsonString());
        AssertRefused(DiagnosticCodes.CheckpointIndexInvalid, "thinker.model.norm.weight");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("""{"model_type":"llava"}""")]
    public void Without_a_known_configuration_tensors_keep_their_names(string? config)
    {
        Write("model.safetensors", "model.norm.weight", "model.language_model.norm.weight", "optimizer.step");
        if (config is not null)
        {
            File.WriteAllText(_folder.File("config.json"), config);
        }

        using var checkpoint = Checkpoint.Open(_folder.Path);

        Assert.Equal(["model.language_model.norm.weight", "model.norm.weight"], checkpoint.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(config is null ? DiagnosticCodes.ModelFileMissing : DiagnosticCodes.ArchitectureUnknown, Assert.Throws<MASQuantException>(() => checkpoint.Family).Code);
    }

    [Fact]
    public void A_folder_without_weights_is_no_checkpoint() => AssertRefused(DiagnosticCodes.CheckpointMissing, "model.safetensors");

    private static void AssertMaps(ModelFamily family, string[] all, string stored, string? canonical)
        => Assert.Equal(canonical, family.TensorNames.Map([.. all.Distinct()]).SingleOrDefault(name => name.Stored == stored).Canonical);

    private MASQuantException AssertRefused(string code, string reason)
    {
        var error = Assert.Throws<MASQuantException>(() => Checkpoint.Open(_folder.Path));
        Assert.Equal(code, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        return error;
    }

    private void Write(string file, params string[] names)
        => SafetensorsWriter.Write(_folder.File(file), names.Select(name => TensorPayload.OfFloats(name, new float[1], 1)));

    private void CopyOmni()
    {
        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        }
    }
}
