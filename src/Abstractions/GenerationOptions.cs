using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant;

/// <summary>How an answer is generated. The default is greedy: always the most probable token.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to generate; at least 1.</summary>
    public int MaxTokens { get; init; } = 512;

    /// <summary>0: greedy. Above: logits are divided by it before sampling; 1 leaves the model's distribution, more flattens it. In 0 … 100.</summary>
    public double Temperature { get; init; }

    /// <summary>Samples only from the most probable tokens that together reach this probability, of equally probable ones those with the lowest ids; it counts among what <see cref="TopK"/> keeps. In (0, 1]; 1: from all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Samples only from this many most probable tokens, and those that equal the last of them. 0: from all.</summary>
    public int TopK { get; init; }

    /// <summary>Samples only from tokens of at least this portion of the most probable one's probability; it comes after <see cref="TopK"/> and <see cref="TopP"/>. In 0 … 1; 0: from all.</summary>
    public double MinP { get; init; }

    /// <summary>Divides positive logits, and multiplies negative ones, of every token that the prompt or the answer so far holds, once however often; above 1 discourages repetition. It comes before everything else, greedy decoding too. In 0.001 … 1000; 1: nothing changes.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Is subtracted from the logit of every token that the answer holds so far; behind <see cref="RepetitionPenalty"/>. In −2 … 2; 0: nothing changes.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Is subtracted from a token's logit once for each time that the answer holds it so far; behind <see cref="RepetitionPenalty"/>. In −2 … 2; 0: nothing changes.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Starts the random sequence, of which each token takes one number: the same seed, model, prompt and version of this library give the same answer. Processor and device draw alike; where their logits differ by rounding, so may answers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Token ids that end the answer; null: those of the model's <c>generation_config.json</c>.</summary>
    public IReadOnlyList<int>? StopTokens { get; init; }

    /// <summary>Texts that end the answer: it ends before the first that is complete, compared character by character, and none of it is given out.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>What the answer is held to; null: nothing.</summary>
    public AnswerFormat? Format { get; init; }

    /// <summary>Whether the model thinks before it answers: what it thinks comes apart from the answer (<see cref="BatchPiece.Thought"/>) and counts among <see cref="MaxTokens"/>; <see cref="StopStrings"/> and <see cref="Format"/> are of the answer alone. Off by default; a model without thoughts refuses it (MASQ0904).</summary>
    public bool Thinks { get; init; }

    /// <summary>
    /// The most tokens that are guessed ahead, where the answer repeats its prompt or itself, and evaluated together: speed, never another answer. Guessed is where an answer is alone in its steps, on the processor.
    /// 0: none; null: up to 8 when the answer is greedy, else none. In 0 … 64.
    /// </summary>
    public int? DraftTokens { get; init; }

    /// <summary>Refuses values outside their ranges.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.GenerationOptionOutOfRange"/></exception>
    public void Validate()
    {
        Require(MaxTokens >= 1, nameof(MaxTokens), MaxTokens, "at least 1");
        Require(Temperature is >= 0 and <= 100, nameof(Temperature), Temperature, "in 0 … 100, where 0 is greedy");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0 and at most 1, where 1 keeps all tokens");
        Require(TopK >= 0, nameof(TopK), TopK, "at least 0, where 0 keeps all tokens");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "in 0 … 1, where 0 keeps all tokens");
        Require(RepetitionPenalty is >= 0.001 and <= 1000, nameof(RepetitionPenalty), RepetitionPenalty, "in 0.001 … 1000, where 1 changes nothing");
        Require(PresencePenalty is >= -2 and <= 2, nameof(PresencePenalty), PresencePenalty, "in -2 … 2, where 0 changes nothing");
        Require(FrequencyPenalty is >= -2 and <= 2, nameof(FrequencyPenalty), FrequencyPenalty, "in -2 … 2, where 0 changes nothing");
        Require(DraftTokens is null or (>= 0 and <= 64), nameof(DraftTokens), DraftTokens ?? 0, "in 0 … 64, where 0 guesses none");
        foreach (var token in StopTokens ?? [])
        {
            Require(token >= 0, nameof(StopTokens), token, "token ids, at least 0");
        }

        foreach (var text in StopStrings)
        {
            Require(!string.IsNullOrEmpty(text), nameof(StopStrings), "an empty text", "texts of at least one character");
        }
    }

    private static void Require(bool condition, string option, object value, string allowed)
    {
        if (!condition)
        {
            throw new MASQuantException(DiagnosticCodes.GenerationOptionOutOfRange, null,
                string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {allowed}. Give an allowed value, or leave it at its default."));
        }
    }
}
