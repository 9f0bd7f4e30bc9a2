namespace MASQuant.Formats.Models;

/// <summary>The markers of a conversation's turns: <c>TurnStart role⏎content TurnEnd⏎</c> per message. They are added tokens of the tokenizer.</summary>
/// <param name="TurnStart">Begins a turn.</param>
/// <param name="TurnEnd">Ends a turn, and so an answer.</param>
/// <param name="DefaultSystem">The instructions of conversations that begin without any; null where the family has none.</param>
public sealed record ChatFormat(string TurnStart, string TurnEnd, string? DefaultSystem)
{
    /// <summary>SHA-256 of the chat templates that say the same for a conversation of text and media.</summary>
    public IReadOnlyList<string> Templates { get; init; } = [];
}
