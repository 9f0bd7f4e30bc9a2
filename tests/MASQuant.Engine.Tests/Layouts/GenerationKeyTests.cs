using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Checkpoints;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>Published files of recommendations have few members: here is every one that transformers 4.57 and 5 know, with a value that it does not have by itself. Each is read, refused, or listed with the reason why it cannot matter.</summary>
public sealed class GenerationKeyTests
{
    private const string All = """
        {
          "max_length": 64, "max_new_tokens": 5, "min_length": 1, "min_new_tokens": 1, "early_stopping": true, "max_time": 1.5, "stop_strings": ["x"],
          "do_sample": true, "num_beams": 2, "num_beam_groups": 2, "penalty_alpha": 0.5, "dola_layers": "high",
          "use_cache": false, "cache_implementation": "static", "cache_config": { "max_cache_len": 9 }, "return_legacy_cache": true, "prefill_chunk_size": 8, "max_cache_len": 9,
          "temperature": 0.5, "top_k": 5, "top_p": 0.5, "min_p": 0.1, "top_h": 0.4, "typical_p": 0.5, "epsilon_cutoff": 0.1, "eta_cutoff": 0.1,
          "diversity_penalty": 1.5, "repetition_penalty": 1.2, "encoder_repetition_penalty": 1.2, "length_penalty": 2, "no_repeat_ngram_size": 2,
          "bad_words_ids": [[1]], "force_words_ids": [[1]], "renormalize_logits": true, "constraints": [1], "forced_bos_token_id": 1, "forced_eos_token_id": 1,
          "remove_invalid_values": true, "exponential_decay_length_penalty": [1, 2.5], "suppress_tokens": [1], "begin_suppress_tokens": [1], "forced_decoder_ids": [[1, 2]],
          "sequence_bias": [[[1], 2.5]], "token_healing": true, "guidance_scale": 2.5, "low_memory": true, "watermarking_config": { "bias": 2.5 },
          "num_return_sequences": 2, "output_attentions": true, "output_hidden_states": true, "output_scores": true, "output_logits": true, "return_dict_in_generate": true,
          "pad_token_id": 1, "bos_token_id": 1, "eos_token_id": 1, "encoder_no_repeat_ngram_size": 1, "decoder_start_token_id": 1,
          "is_assistant": true, "num_assistant_tokens": 2, "num_assistant_tokens_schedule": "constant", "assistant_confidence_threshold": 0.1, "prompt_lookup_num_tokens": 2,
          "max_matching_ngram_size": 2, "assistant_early_exit": 2, "assistant_lookbehind": 2, "target_lookbehind": 2, "compile_config": {}, "disable_compile": true,
          "presence_penalty": 0.5, "frequency_penalty": 0.5
        }
        """;

    [Fact]
    public void Every_member_that_tools_know_is_refused_or_read()
    {
        var nothing = Read([]);
        var ignored = JsonNode.Parse(All)!.AsObject().Where(member => Read(new() { [member.Key] = member.Value!.DeepClone() }) == nothing
            && !NoMatter.Of(GenerationConfigReader.FileName, member.Key, isNested: false, hears: false)).Select(member => member.Key);
        Assert.Empty(ignored);
    }

    private static string Read(JsonObject members)
    {
        try
        {
            return JsonSerializer.Serialize(GenerationConfigReader.Read(Encoding.UTF8.GetBytes(members.ToJsonString()), GenerationConfigReader.FileName));
        }
        catch (MASQuantException refusal)
        {
            return refusal.Message;
        }
    }
}
