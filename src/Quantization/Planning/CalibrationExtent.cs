using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Planning;

/// <summary>How much calibration there is.</summary>
/// <param name="Samples">Conversations.</param>
/// <param name="ByModality">Tokens of every modality, by its number.</param>
/// <param name="Longest">Tokens of the longest conversation.</param>
public sealed record CalibrationExtent(int Samples, IReadOnlyList<long> ByModality, long Longest)
{
    private const int TypicalSamples = 128;
    private const int TypicalTokens = 400;
    private const int TypicalLongest = 1024;

    /// <summary>Tokens of all modalities.</summary>
    public long Tokens => ByModality.Sum();

    /// <summary>What is assumed when no set is given: what the documentation asks for, half of it text.</summary>
    public static CalibrationExtent Typical(ModelConfig config)
    {
        const long Tokens = TypicalSamples * TypicalTokens;
        var others = config.Modalities.Count - 1;
        return new(TypicalSamples, [.. Enum.GetValues<Modality>().Select(modality => modality == Modality.Text ? Tokens / 2 : config.Modalities.Contains(modality) ? Tokens / 2 / others : 0)], TypicalLongest);
    }

    /// <summary>Counts a set, by its texts and the headers of its media.</summary>
    /// <exception cref="MASQuantException">The tokenizer or a preprocessor's file is missing or malformed; a medium cannot be read; a conversation is longer than the model's positions.</exception>
    public static CalibrationExtent Of(IModelSource source, ModelConfig config, IReadOnlyList<Conversation> conversations, ImageBudget? budget = null)
    {
        var counter = new PromptCounter(source, config, budget);
        IReadOnlyList<long>[] counts = [.. conversations.Select(conversation => conversation.Placed(() => counter.Count(conversation.Messages)))];
        return new(counts.Length, [.. Enum.GetValues<Modality>().Select(modality => counts.Sum(count => count[(int)modality]))], counts.Max(count => count.Sum()));
    }

    /// <summary>Of so many samples, of the same mean.</summary>
    public CalibrationExtent Part(int samples) => samples == Samples ? this : new(samples, [.. ByModality.Select(tokens => tokens * samples / Samples)], Longest);
}
