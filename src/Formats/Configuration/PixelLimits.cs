namespace MASQuant.Formats.Configuration;

/// <summary>The fewest and the most pixels that an image or frame is resized to.</summary>
public readonly record struct PixelLimits(int Min, int Max);
