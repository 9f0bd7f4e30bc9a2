using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>A medium as its towers see and hear it.</summary>
/// <param name="Extents">How many tokens behind each of its placeholders, and where they stand.</param>
/// <param name="Seen">[number of vision tokens, H]; null for a clip.</param>
/// <param name="Heard">[number of audio tokens, H]; null for what has no sound.</param>
/// <param name="Deepstack">For each of the decoder's first blocks that gets some [number of vision tokens, H].</param>
internal sealed record EncodedMedium(IReadOnlyList<MediaExtent> Extents, Matrix? Seen, Matrix? Heard, IReadOnlyList<Matrix> Deepstack);
