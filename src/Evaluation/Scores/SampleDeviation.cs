namespace MASQuant.Evaluation.Scores;

/// <summary>How one model deviates from the reference on one conversation whose answer is given.</summary>
/// <param name="layers">The number of decoder blocks.</param>
public sealed class SampleDeviation(int layers)
{
    /// <summary>Over the tokens of the answer.</summary>
    public TokenDivergence Answer { get; } = new();

    /// <summary>After every token of the conversation but the last, by the token's modality; indexed by <see cref="Modality"/>.</summary>
    public IReadOnlyList<TokenDivergence> ByModality { get; } = [.. Enumerable.Range(0, ModalityMap.ModalityCount).Select(_ => new TokenDivergence())];

    /// <summary>Of the decoder blocks' outputs.</summary>
    public BlockNoise Blocks { get; } = new(layers);

    /// <summary>Of the answer that the model generated; empty when it generated none.</summary>
    public AnswerScore Score { get; } = new();

    /// <summary>The answer that the model generated, or null when it generated none.</summary>
    public string? Answered { get; set; }
}
