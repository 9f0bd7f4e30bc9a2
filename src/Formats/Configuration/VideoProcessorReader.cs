namespace MASQuant.Formats.Configuration;

/// <summary>Reads what a video processor does other than an image processor: frames have pixel limits of their own. How frames are chosen (<c>fps</c>, <c>max_frames</c>, …) is no matter of the file: whoever gives a video gives its frames.</summary>
internal static class VideoProcessorReader
{
    // More tokens than positions: such a video is refused by its length.
    private const int MaxVideoTokens = 128_000;

    /// <summary>Adds the limits of <paramref name="section"/>.</summary>
    /// <param name="section">The object with the processor's members.</param>
    /// <param name="images">What is done to images.</param>
    /// <param name="vision">The tower, whose patches are cut.</param>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static PreprocessorConfig Read(ConfigSection section, PreprocessorConfig images, VisionConfig vision)
    {
        section.RequireWhole("max_video_tokens", MaxVideoTokens);
        var absent = images.VideoPixels is { } limits ? images with { MinPixels = limits.Min, MaxPixels = limits.Max } : images;
        var videos = ImageProcessorReader.Read(section, absent, vision);
        RequireAsImages(section, "rescale_factor", videos.RescaleFactor == images.RescaleFactor);
        RequireAsImages(section, "image_mean", videos.ImageMean.SequenceEqual(images.ImageMean));
        RequireAsImages(section, "image_std", videos.ImageStd.SequenceEqual(images.ImageStd));
        return images with { VideoPixels = new PixelLimits(videos.MinPixels, videos.MaxPixels) };
    }

    private static void RequireAsImages(ConfigSection section, string key, bool same)
    {
        if (!same)
        {
            throw section.Unsupported(key, "makes other colours of a video's frames than of images; both are to be the same");
        }
    }
}
