using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>A medium of which the header has been read.</summary>
/// <param name="Part">The medium.</param>
/// <param name="File">Its bytes; of a video its first frame's.</param>
/// <param name="Name">What messages call it.</param>
/// <param name="Extents">How many tokens stand behind each of its placeholders, and where.</param>
/// <param name="Limits">How many pixels an image, or a video's frames, keep.</param>
internal sealed record CountedMedium(ContentPart Part, ReadOnlyMemory<byte> File, string Name, IReadOnlyList<MediaExtent> Extents, PixelLimits Limits = default)
{
    /// <summary>Its tokens.</summary>
    public long Tokens => Extents.Sum(extent => (long)extent.Frames * extent.Rows * extent.Columns);
}
