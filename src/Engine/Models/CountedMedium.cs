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
    /// <summary>A video's own sound.</summary>
    public CountedMedium? Sound { get; init; }

    /// <summary>What it is; null: it has not been hashed.</summary>
    public string? Hash { get; init; }

    /// <summary>SHA-256 of each frame of a video, where it has been hashed.</summary>
    public IReadOnlyList<byte[]>? FrameHashes { get; init; }

    /// <summary>Its tokens, those of its sound included.</summary>
    public long Tokens => Extents.Sum(TokensOf);

    /// <summary>How many tokens of the rendered prompt stand for it.</summary>
    public int Placeholders => Extents.Count(extent => extent.HasPlaceholder);

    /// <summary>Its tokens of a modality.</summary>
    public long TokensAs(Modality modality) => Extents.Where(extent => extent.Modality == modality).Sum(TokensOf);

    private static long TokensOf(MediaExtent extent) => extent.Run?.Tokens ?? ((long)extent.Frames * extent.Rows * extent.Columns);
}
