namespace MASQuant.Engine.Text;

/// <summary>A token that is found in the text before it is split, whatever surrounds it.</summary>
/// <param name="Id">The token id.</param>
/// <param name="Content">The text that stands for it.</param>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>The most characters of one: the time to look for it at a place.</summary>
    public const int MaxLength = 256;

    /// <summary>Whether it is control, not text: skipped on request when decoding, never made from user text.</summary>
    public bool Special { get; init; }

    /// <summary>Whether it is never made from user text, though it is text when decoding.</summary>
    public bool Mark { get; init; }

    /// <summary>Whether it is looked for after normalization, not before.</summary>
    public bool Normalized { get; init; }

    /// <summary>Whether it takes in white space to its left.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Whether it takes in white space to its right.</summary>
    public bool StripRight { get; init; }

    /// <summary>Whether it must not touch a word character.</summary>
    public bool SingleWord { get; init; }
}
