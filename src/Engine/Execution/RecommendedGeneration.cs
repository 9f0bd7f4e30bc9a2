using MASQuant.Engine.Text;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Execution;

/// <summary>What a model's <c>generation_config.json</c> says of its answers.</summary>
internal static class RecommendedGeneration
{
    /// <summary>The way of choosing tokens; greedy where it does not sample.</summary>
    public static GenerationOptions Options(GenerationConfig config)
    {
        var greedy = new GenerationOptions { RepetitionPenalty = config.RepetitionPenalty, PresencePenalty = config.PresencePenalty, FrequencyPenalty = config.FrequencyPenalty, StopStrings = config.StopStrings };
        greedy = config.MaxNewTokens is { } most ? greedy with { MaxTokens = most } : greedy;
        return config.Sample ? greedy with { Temperature = config.Temperature, TopP = config.TopP, TopK = config.TopK, MinP = config.MinP } : greedy;
    }

    /// <summary>What ends an answer; where the file names nothing, what ends a turn.</summary>
    public static IReadOnlyList<int> EndTokens(GenerationConfig config, ModelFamily family, Tokenizer tokenizer)
        => config.EndTokenIds.Count == 0 && tokenizer.TryGetAddedToken(family.Chat.TurnEnd, out var end) ? [end] : config.EndTokenIds;
}
