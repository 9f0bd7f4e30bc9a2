namespace MASQuant.Engine.Tests.Layouts;

/// <summary>Members of configuration files whose value cannot change an answer, each with its reason.</summary>
internal static class NoMatter
{
    private static readonly (string Reason, string[] Names)[] Anywhere =
    [
        ("says who wrote the file", ["transformers_version", "architectures", "_name_or_path", "_from_model_config", "processor_class"]),
        ("config.json's root says the family", ["model_type"]),
        ("tensors say their types themselves", ["dtype", "torch_dtype"]),
        ("is of training", ["attention_dropout", "activation_dropout", "dropout", "encoder_layerdrop", "initializer_range", "init_std", "gradient_checkpointing", "ignore_index"]),
        ("is of the tool's way of computing", ["use_cache", "device", "return_dict", "output_attentions", "output_hidden_states", "output_scores", "return_dict_in_generate", "chunk_size_feed_forward", "torchscript", "use_bfloat16", "tf_legacy_loss", "remove_invalid_values", "return_metadata", "return_tensors", "disable_grouping", "_attn_implementation_autoset",
            "output_logits", "cache_implementation", "cache_config", "max_cache_len", "return_legacy_cache", "prefill_chunk_size", "low_memory", "compile_config", "disable_compile"]),
        ("guesses tokens ahead, which changes no answer", ["is_assistant", "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold", "prompt_lookup_num_tokens", "max_matching_ngram_size", "assistant_early_exit", "assistant_lookbehind", "target_lookbehind"]),
        ("counts only with num_beams, which is refused", ["early_stopping", "length_penalty"]),
        ("a draw is from normalised weights anyway", ["renormalize_logits"]),
        ("whoever asks says how long prompt and answer, or the wait, may be", ["max_length", "max_time"]),
        ("belongs to other tasks than answering", ["id2label", "label2id", "problem_type", "finetuning_task", "task_specific_params", "prefix", "is_decoder", "is_encoder_decoder", "add_cross_attention", "cross_attention_hidden_size", "tie_encoder_decoder", "decoder_start_token_id", "sep_token_id", "tokenizer_class", "pruned_heads"]),
        ("nothing is padded, and prompts begin as the chat format says", ["pad_token_id", "bos_token_id", "return_attention_mask"]),
        ("is read by nothing: the chat format writes turns and media", ["user_token_id", "vision_token_id"]),
        ("counts only with use_sliding_window, which is refused", ["max_window_layers", "sliding_window"]),
        ("counts only with do_center_crop or do_pad, which are refused", ["crop_size", "pad_size"]),
        ("sizes are pixel counts of whole images", ["default_to_square"]),
        ("whoever gives a video gives its frames and their rate", ["do_sample_frames", "fps", "num_frames", "min_frames", "max_frames", "video_metadata"]),
    ];

    private static readonly (string Reason, string[] Names)[] OfSections =
    [
        ("generation_config.json says how answers are made; these are members of old that newer tools no longer write", [
            "bad_words_ids", "begin_suppress_tokens", "diversity_penalty", "do_sample", "early_stopping", "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id",
            "length_penalty", "max_length", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "repetition_penalty", "suppress_tokens", "temperature", "top_k", "top_p", "typical_p", "eos_token_id"]),
        ("the decoder alone has a head", ["tie_word_embeddings"]),
        ("rope_type is the newer name, and counts", ["type"]),
        ("in_channels is the newer name, and counts", ["in_chans"]),
        ("the root's counts", ["text_config.image_token_id", "text_config.video_token_id", "text_config.vision_start_token_id", "text_config.vision_end_token_id"]),
        ("the tower's depth is encoder_layers", ["audio_config.num_hidden_layers"]),
        ("min_pixels and max_pixels beside them count more", ["size.shortest_edge", "size.longest_edge"]),
    ];

    // Of models that hear: position_id_per_seconds counts, and hidden_size is the tower's width.
    private static readonly string[] OfHearing = ["vision_config.tokens_per_second", "vision_config.embed_dim"];

    // Where text_config is there, it counts: vocabularies are resized in it alone.
    private static readonly string[] DecoderCopies =
        ["hidden_act", "hidden_size", "intermediate_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "rms_norm_eps", "rope_theta", "use_sliding_window", "vocab_size", "rope_scaling.mrope_section", "rope_scaling.rope_type"];

    // The parts that speak are left out.
    private static readonly string[] Speech = ["talker_config.", "token2wav_config.", "enable_audio_output", "enable_talker"];

    /// <summary>Whether a member that nobody reads needs no reader.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="member">The member's path in it.</param>
    /// <param name="isNested">Whether the decoder has a section of its own.</param>
    /// <param name="hears">Whether the model hears.</param>
    public static bool Of(string file, string member, bool isNested, bool hears)
        => Anywhere.SelectMany(group => group.Names).Any(name => $".{member}.".Contains($".{name}.", StringComparison.Ordinal))
            || (member.Contains('.') && OfSections.SelectMany(group => group.Names).Any(name => $".{member}".EndsWith($".{name}", StringComparison.Ordinal)))
            || (hears && OfHearing.Any(name => $".{member}".EndsWith($".{name}", StringComparison.Ordinal)))
            || (file == "config.json" && ((isNested && DecoderCopies.Contains(member)) || member == "eos_token_id" || Speech.Any(part => member.StartsWith(part, StringComparison.Ordinal))));
}
