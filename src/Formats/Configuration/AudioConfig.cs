namespace MASQuant.Formats.Configuration;

/// <summary>The audio tower's extents.</summary>
public sealed record AudioConfig
{
    /// <summary>The number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>The width of a frame's vector.</summary>
    public required int ModelSize { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>The width inside a layer's MLP.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Mel bins (128).</summary>
    public required int MelBins { get; init; }

    /// <summary>The width of an output token; the decoder's hidden size.</summary>
    public required int OutputSize { get; init; }

    /// <summary>n_window: half a window, in mel frames (100 → windows of 200 frames, 2 s).</summary>
    public required int HalfWindow { get; init; }

    /// <summary>Rows of the sinusoidal position table.</summary>
    public required int MaxSourcePositions { get; init; }

    /// <summary>Output tokens per second of sound, for estimates.</summary>
    public int TokensPerSecond { get; init; } = 25;
}
