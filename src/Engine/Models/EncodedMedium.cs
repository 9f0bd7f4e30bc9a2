using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>A medium as its tower sees it.</summary>
/// <param name="Extents">How many tokens behind each of its placeholders, and where they stand.</param>
/// <param name="Tokens">[number of tokens, H].</param>
/// <param name="Deepstack">For each of the decoder's first blocks that gets some [number of tokens, H].</param>
internal sealed record EncodedMedium(IReadOnlyList<MediaExtent> Extents, Matrix Tokens, IReadOnlyList<Matrix> Deepstack);
