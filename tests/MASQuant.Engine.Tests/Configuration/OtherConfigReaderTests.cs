using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Configuration;

public sealed class OtherConfigReaderTests
{
    [Theory]
    [InlineData("""{"eos_token_id":7}""", new[] { 7 })]
    [InlineData("""{"eos_token_id":[7,8]}""", new[] { 7, 8 })]
    [InlineData("""{"eos_token_id":null}""", new int[0])]
    [InlineData("""{}""", new int[0])]
    public void End_tokens_read_as_one_or_as_a_list(string json, int[] ids) => Assert.Equal(ids, Generation(json).EndTokenIds);

    [Fact]
    public void A_published_generation_file_reads()
    {
        // Qwen2.5-VL-3B-Instruct's.
        var config = Generation("""{"bos_token_id":151643,"pad_token_id":151643,"do_sample":true,"eos_token_id":[151645,151643],"repetition_penalty":1.05,"temperature":0.000001,"transformers_version":"4.49.0"}""");
        Assert.Equal((true, 0.000001, 1.0, 50, 1.05), (config.Sample, config.Temperature, config.TopP, config.TopK, config.RepetitionPenalty));
    }

    [Theory]
    [InlineData("""{"top_k":-1}""", 0)]
    [InlineData("""{"top_k":0}""", 0)]
    [InlineData("""{"top_k":7}""", 7)]
    [InlineData("""{}""", 50)]
    public void Minus_one_keeps_all_tokens_as_zero_does(string json, int expected) => Assert.Equal(expected, Generation(json).TopK);

    [Theory]
    [InlineData("num_beams", "1", "4")]
    [InlineData("no_repeat_ngram_size", "0", "3")]
    [InlineData("min_new_tokens", "0", "5")]
    [InlineData("typical_p", "1.0", "0.9")]
    [InlineData("guidance_scale", "1", "1.5")]
    [InlineData("bad_words_ids", "null", "[[1]]")]
    [InlineData("suppress_tokens", "null", "[1,2]")]
    [InlineData("forced_eos_token_id", "null", "7")]
    public void What_no_answer_is_made_by_is_refused_by_name_unless_it_changes_nothing(string member, string neutral, string other)
    {
        Assert.Equal(50, Generation($$"""{"{{member}}":{{neutral}}}""").TopK);
        var refusal = Assert.Throws<MASQuantException>(() => Generation($$"""{"{{member}}":{{other}}}"""));
        Assert.Equal(DiagnosticCodes.ConfigOutOfRange, refusal.Code);
        Assert.Contains($"'{member}' is {other}", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"temperature":-1}""")]
    [InlineData("""{"top_p":1.5}""")]
    [InlineData("""{"eos_token_id":[-1]}""")]
    [InlineData("""{"repetition_penalty":0}""")]
    public void Impossible_sampling_is_refused(string json)
        => Assert.Equal(DiagnosticCodes.ConfigOutOfRange, Assert.Throws<MASQuantException>(() => Generation(json)).Code);

    [Fact]
    public void Without_a_generation_file_the_models_end_token_counts()
    {
        using var folder = new TemporaryDirectory();
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"), folder.File("model.safetensors"));
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "config.json"), folder.File("config.json"));
        using var checkpoint = Checkpoint.Open(folder.Path);
        Assert.Equal([1200], GenerationConfigReader.Read(checkpoint).EndTokenIds);
    }

    private static GenerationConfig Generation(string json) => GenerationConfigReader.Read(Encoding.UTF8.GetBytes(json), "generation_config.json");
}
