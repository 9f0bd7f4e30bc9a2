namespace MASQuant.Formats.Models;

/// <summary>A stretch of a prompt: plain text, or one token by its id.</summary>
public readonly record struct TextSegment
{
    private TextSegment(string? text, int id) => (Text, Id) = (text, id);

    /// <summary>The text, or null for a token. Special tokens spelled out in it stay text.</summary>
    public string? Text { get; }

    /// <summary>The token id, where <see cref="Text"/> is null.</summary>
    public int Id { get; }

    /// <summary>A stretch of plain text.</summary>
    public static TextSegment Plain(string text) => new(text, -1);

    /// <summary>One token.</summary>
    public static TextSegment Token(int id) => new(null, id);
}
