namespace MASQuant.Engine.Chat;

/// <summary>A conversation as token ids.</summary>
/// <param name="Tokens">The ids; each image and audio clip is one placeholder, not yet repeated; a video is one or more, as the family writes it.</param>
/// <param name="Media">The media in the order of their placeholders.</param>
/// <param name="Answer">
/// Where the conversation ends with the assistant's answer: its tokens and the token that ends its turn. Counted from the end, so that it holds
/// after the placeholders have been repeated too. Null where the answer is yet to be generated.
/// </param>
public sealed record TokenizedPrompt(int[] Tokens, IReadOnlyList<ContentPart> Media, Range? Answer)
{
    /// <summary>Whether it ends within a thought: the answer follows behind its end.</summary>
    public bool Thinks { get; init; }
}
