namespace MASQuant.Formats.Models;

/// <summary>Which rows a query sees.</summary>
public enum AttentionSpan
{
    /// <summary>All rows of its sequence up to its own.</summary>
    Causal,

    /// <summary>The rows of its window: of a picture, or of a clip of sound.</summary>
    Window,

    /// <summary>The rows of its frame.</summary>
    Frame,
}
