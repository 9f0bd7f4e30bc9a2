namespace MASQuant.Formats.Configuration;

/// <summary>What is done to media before the towers see them; the audio values that are not given are WhisperFeatureExtractor's.</summary>
public sealed record PreprocessorConfig
{
    /// <summary>The fewest pixels an image is resized to.</summary>
    public required int MinPixels { get; init; }

    /// <summary>The most pixels an image is resized to.</summary>
    public required int MaxPixels { get; init; }

    /// <summary>The fewest and the most pixels of a video's frame; null: those of an image.</summary>
    public PixelLimits? VideoPixels { get; init; }

    /// <summary>Whether <see cref="VideoPixels"/> are of all frames together.</summary>
    public bool VideoPixelsCountFrames { get; init; }

    /// <summary>What a colour's value in 0…255 is multiplied by; 1 where values are not rescaled.</summary>
    public double RescaleFactor { get; init; } = 1 / 255d;

    /// <summary>The mean of red, green and blue, of rescaled values; 0 where values are not normalised.</summary>
    public required IReadOnlyList<float> ImageMean { get; init; }

    /// <summary>The standard deviation of red, green and blue; 1 where values are not normalised.</summary>
    public required IReadOnlyList<float> ImageStd { get; init; }

    /// <summary>Samples per second that the audio tower expects.</summary>
    public int SamplingRate { get; init; } = 16000;

    /// <summary>Samples per Fourier window.</summary>
    public int FourierSize { get; init; } = 400;

    /// <summary>Samples between windows.</summary>
    public int HopLength { get; init; } = 160;

    /// <summary>The longest audio clip, in seconds.</summary>
    public int ChunkLength { get; init; } = 300;
}
