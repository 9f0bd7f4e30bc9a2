using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>Multimodal rotary embedding (M-RoPE): frequencies θ^(−2i/d), of which sections follow the time, height and width position.</summary>
/// <param name="HeadSize">The values of a head.</param>
/// <param name="Theta">θ.</param>
/// <param name="Sections">How many of the d/2 frequencies follow the time, height and width position.</param>
/// <param name="Yarn">How the frequencies are scaled; null: not at all.</param>
public sealed record RotaryDescription(int HeadSize, float Theta, IReadOnlyList<int> Sections, YarnScaling? Yarn = null)
{
    /// <summary>d, the first values of a head, which are rotated; unless it is given, all are.</summary>
    public int RotatedSize
    {
        get => field > 0 ? field : HeadSize;
        init;
    }

    /// <summary>Whether sections take turns (time, height, width, time …) while height and width have frequencies left; otherwise they follow each other.</summary>
    public bool IsInterleaved { get; init; }
}
