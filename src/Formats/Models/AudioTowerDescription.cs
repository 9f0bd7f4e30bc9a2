using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>An audio tower: log-mel frames → tokens of the decoder's width.</summary>
public sealed class AudioTowerDescription
{
    /// <summary>The extents.</summary>
    public required AudioConfig Config { get; init; }

    /// <summary>The convolution of width 3 and stride 1 that the frames go through first, [D, bins · 3]; GELU follows.</summary>
    public required LinearDescription FirstConvolution { get; init; }

    /// <summary>The convolution of width 3 and stride 2 behind it, [D, D · 3]; GELU follows.</summary>
    public required LinearDescription SecondConvolution { get; init; }

    /// <summary>The longest period of the sinusoidal positions.</summary>
    public required double LongestPeriod { get; init; }

    /// <summary>The blocks, in order.</summary>
    public required IReadOnlyList<BlockDescription> Blocks { get; init; }

    /// <summary>From the stream to tokens.</summary>
    public required BlockDescription Exit { get; init; }
}
