namespace MASQuant;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">Text and media in the order in which they enter the prompt.</param>
public sealed record ChatMessage(ChatRole Role, IReadOnlyList<ContentPart> Content)
{
    /// <summary>A turn of text alone.</summary>
    public ChatMessage(ChatRole role, string text)
        : this(role, [new TextPart(text)])
    {
    }
}
