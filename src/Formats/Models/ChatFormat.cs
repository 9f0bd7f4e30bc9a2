namespace MASQuant.Formats.Models;

/// <summary>The markers of a conversation's turns: <c>TurnStart role⏎content TurnEnd⏎</c> per message. They are added tokens of the tokenizer.</summary>
/// <param name="TurnStart">Begins a turn.</param>
/// <param name="TurnEnd">Ends a turn, and so an answer.</param>
/// <param name="DefaultSystem">The instructions of conversations that begin without any; null where the family has none.</param>
public sealed record ChatFormat(string TurnStart, string TurnEnd, string? DefaultSystem)
{
    /// <summary>How functions and their calls are written; null where the family has no way.</summary>
    public ToolFormat? Tools { get; init; }

    /// <summary>How thoughts are written; null where the family has none.</summary>
    public ThoughtFormat? Thought { get; init; }

    /// <summary>Whether white space at both ends of a message, and of a function's result, is left out.</summary>
    public bool TrimsContent { get; init; }

    /// <summary>What is a token where the tokenizer has it, and text elsewhere.</summary>
    public IReadOnlyList<string> Marks => [.. Tools?.Marks ?? [], .. Thought?.Marks ?? []];

    /// <summary>SHA-256 of the chat templates that say the same for a conversation of text and media.</summary>
    public IReadOnlyList<string> Templates { get; init; } = [];
}
