using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Checkpoints;

/// <summary>What <c>generation_config.json</c> can ask for beyond what is done: refused by name unless its value changes nothing.</summary>
internal static class GenerationMembers
{
    private static readonly (string Name, double Neutral)[] Numbers =
    [
        ("num_beams", 1), ("num_beam_groups", 1), ("num_return_sequences", 1), ("penalty_alpha", 0), ("diversity_penalty", 0), ("no_repeat_ngram_size", 0), ("encoder_no_repeat_ngram_size", 0),
        ("encoder_repetition_penalty", 1), ("typical_p", 1), ("epsilon_cutoff", 0), ("eta_cutoff", 0), ("min_length", 0), ("min_new_tokens", 0), ("guidance_scale", 1),
    ];

    private static readonly string[] Others =
    [
        "bad_words_ids", "force_words_ids", "constraints", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id", "forced_decoder_ids", "exponential_decay_length_penalty", "sequence_bias", "watermarking_config", "dola_layers", "top_h",
    ];

    /// <exception cref="MASQuantException">MASQ0203, naming the member.</exception>
    public static void Check(ConfigSection root)
    {
        foreach (var (name, neutral) in Numbers)
        {
            root.RequireNumber(name, neutral);
        }

        foreach (var name in Others)
        {
            root.RequireAbsent(name);
        }

        root.RequireFlag("token_healing", false);
    }
}
