namespace MASQuant.Formats.Models;

/// <summary>The added tokens that structure a family's prompts: no text of a user becomes one, whatever the tokenizer's file says of them.</summary>
/// <param name="Texts">By what the file calls them.</param>
/// <param name="Ids">By the ids that the configuration gives them.</param>
public sealed record ControlTokens(IReadOnlyList<string> Texts, IReadOnlyList<int> Ids)
{
    /// <summary>Texts of tokens that a user's text does not become either, though they are text in an answer: they mark thoughts, and calls and results of functions.</summary>
    public IReadOnlyList<string> Marks { get; init; } = [];

    /// <summary>What a tokenizer without a model has.</summary>
    public static ControlTokens None { get; } = new([], []);

    /// <summary>Whether an added token is one.</summary>
    public bool Contain(int id, string text) => Ids.Contains(id) || Texts.Contains(text);
}
