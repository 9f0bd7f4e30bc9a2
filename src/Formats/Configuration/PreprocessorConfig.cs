namespace MASQuant.Formats.Configuration;

/// <summary>What <c>preprocessor_config.json</c> says; the audio values that are not given are WhisperFeatureExtractor's.</summary>
public sealed record PreprocessorConfig
{
    /// <summary>The fewest pixels an image is resized to.</summary>
    public required int MinPixels { get; init; }

    /// <summary>The most pixels an image is resized to.</summary>
    public required int MaxPixels { get; init; }

    /// <summary>The fewest and the most pixels of a video's frame; null: those of an image.</summary>
    public PixelLimits? VideoPixels { get; init; }

    /// <summary>The mean of red, green and blue, of values in 0…1.</summary>
    public required IReadOnlyList<float> ImageMean { get; init; }

    /// <summary>The standard deviation of red, green and blue.</summary>
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
