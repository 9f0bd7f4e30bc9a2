namespace MASQuant;

/// <summary>What an answer took.</summary>
/// <param name="PromptTokens">Tokens of the prompt, those of its media included; 0 where it could not be prepared.</param>
/// <param name="GeneratedTokens">Tokens of the answer, the one that ended it and those of a stop string included.</param>
public readonly record struct AnswerUsage(int PromptTokens, int GeneratedTokens)
{
    /// <summary>Those of <see cref="PromptTokens"/> that were not evaluated again: an earlier prompt began with them (<see cref="ModelOptions.PrefixCacheBytes"/>).</summary>
    public int CachedTokens { get; init; }

    /// <summary>Those of <see cref="GeneratedTokens"/> that had been guessed and were evaluated together with the token before (<see cref="GenerationOptions.DraftTokens"/>).</summary>
    public int DraftedTokens { get; init; }
}
