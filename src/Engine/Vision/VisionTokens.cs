namespace MASQuant.Engine.Vision;

/// <summary>What a vision tower makes of an image or a video.</summary>
/// <param name="Tokens">[tokens, H], one for each merged block of patches.</param>
/// <param name="Deepstack">Of each of the decoder's first blocks what is added behind it, [tokens, H]; of most towers none.</param>
public sealed record VisionTokens(Matrix Tokens, IReadOnlyList<Matrix> Deepstack)
{
    /// <summary>Those of several media, one behind the other.</summary>
    public static VisionTokens Concatenate(IReadOnlyList<VisionTokens> parts, int columns) => new(
        Matrix.Concatenate([.. parts.Select(part => part.Tokens)], columns),
        [.. Enumerable.Range(0, parts.Count == 0 ? 0 : parts[0].Deepstack.Count).Select(level => Matrix.Concatenate([.. parts.Select(part => part.Deepstack[level])], columns))]);
}
