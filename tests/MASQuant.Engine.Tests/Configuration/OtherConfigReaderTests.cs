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
    [InlineData("num_beam_groups", "1", "2")]
    [InlineData("num_return_sequences", "1", "2")]
    [InlineData("penalty_alpha", "0", "0.6")]
    [InlineData("diversity_penalty", "0", "0.5")]
    [InlineData("encoder_no_repeat_ngram_size", "0", "2")]
    [InlineData("encoder_repetition_penalty", "1", "1.2")]
    [InlineData("epsilon_cutoff", "0", "0.0003")]
    [InlineData("eta_cutoff", "0", "0.0003")]
    [InlineData("min_length", "0", "8")]
    [InlineData("force_words_ids", "null", "[[1]]")]
    [InlineData("constraints", "null", "[7]")]
    [InlineData("begin_suppress_tokens", "null", "[1]")]
    [InlineData("forced_bos_token_id", "null", "7")]
    [InlineData("forced_decoder_ids", "null", "[[1,7]]")]
    [InlineData("exponential_decay_length_penalty", "null", "[3,1.5]")]
    [InlineData("sequence_bias", "null", "[[[7],-1.5]]")]
    [InlineData("watermarking_config", "null", "{}")]
    [InlineData("dola_layers", "null", "[1]")]
    [InlineData("top_h", "null", "0.4")]
    [InlineData("token_healing", "false", "true")]
    public void What_no_answer_is_made_by_is_refused_by_name_unless_it_changes_nothing(string member, string neutral, string other)
    {
        Assert.Equal(50, Generation($$"""{"{{member}}":{{neutral}}}""").TopK);
        var refusal = Assert.Throws<MASQuantException>(() => Generation($$"""{"{{member}}":{{other}}}"""));
        Assert.Equal(DiagnosticCodes.ConfigOutOfRange, refusal.Code);
        Assert.Contains($"'{member}' is {other}", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"temperature":-1}""")]
    [InlineData("""{"temperature":101}""")]
    [InlineData("""{"top_p":1.5}""")]
    [InlineData("""{"presence_penalty":-2.5}""")]
    [InlineData("""{"frequency_penalty":2.5}""")]
    [InlineData("""{"max_new_tokens":0}""")]
    [InlineData("""{"stop_strings":["."," ",""]}""")]
    [InlineData("""{"eos_token_id":[-1]}""")]
    [InlineData("""{"repetition_penalty":0}""")]
    public void Impossible_sampling_is_refused(string json)
        => Assert.Equal(DiagnosticCodes.ConfigOutOfRange, Assert.Throws<MASQuantException>(() => Generation(json)).Code);

    // What the file may say, a call may say too: nothing that is read is refused later, without the file's name.
    [Theory]
    [InlineData("""{"do_sample":true,"temperature":100,"top_p":0,"top_k":-1,"min_p":1,"repetition_penalty":1000,"presence_penalty":2,"frequency_penalty":2,"max_new_tokens":2147483647}""")]
    [InlineData("""{"do_sample":true,"temperature":0,"top_p":1,"min_p":0,"repetition_penalty":0.001,"presence_penalty":-2,"frequency_penalty":-2,"max_new_tokens":1,"stop_strings":"."}""")]
    public void Every_recommendation_that_is_read_is_one_that_a_call_takes(string json)
    {
        var config = Generation(json);
        new GenerationOptions
        {
            Temperature = config.Temperature,
            TopP = config.TopP,
            TopK = config.TopK,
            MinP = config.MinP,
            RepetitionPenalty = config.RepetitionPenalty,
            PresencePenalty = config.PresencePenalty,
            FrequencyPenalty = config.FrequencyPenalty,
            MaxTokens = config.MaxNewTokens!.Value,
            StopStrings = config.StopStrings,
        }.Validate();
    }

    [Theory]
    [InlineData("""{}""", new string[0])]
    [InlineData("""{"stop_strings":"###"}""", new[] { "###" })]
    [InlineData("""{"stop_strings":["a","b"]}""", new[] { "a", "b" })]
    public void Stop_strings_read_as_one_or_as_a_list(string json, string[] texts) => Assert.Equal(texts, Generation(json).StopStrings);

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
