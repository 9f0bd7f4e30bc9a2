namespace MASQuant.Formats.Configuration;

/// <summary>Reads what an image or a video processor does to pixels. A member that the code cannot honour is refused, so that none is ignored in silence.</summary>
internal static class ImageProcessorReader
{
    private const int MaxPixelCount = 1 << 30;
    private const int Bicubic = 3; // as Pillow counts
    private const double MostOfColour = 1000; // values of 0…255 may be normalised without being rescaled

    /// <summary>Reads <paramref name="section"/>.</summary>
    /// <param name="section">The object with the processor's members.</param>
    /// <param name="absent">Has the values of absent members.</param>
    /// <param name="vision">The tower, whose patches are cut.</param>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static PreprocessorConfig Read(ConfigSection section, PreprocessorConfig absent, VisionConfig vision)
    {
        CheckSteps(section);
        section.RequireWhole("patch_size", vision.PatchSize);
        section.RequireWhole("merge_size", vision.SpatialMergeSize);
        section.RequireWhole("temporal_patch_size", vision.TemporalPatchSize);
        var normalizes = section.Flag("do_normalize", true);
        var config = absent with
        {
            MinPixels = PixelLimit(section, "min_pixels", "shortest_edge", absent.MinPixels),
            MaxPixels = PixelLimit(section, "max_pixels", "longest_edge", absent.MaxPixels),
            RescaleFactor = section.Flag("do_rescale", true) ? section.Number("rescale_factor", 1e-9, MostOfColour, absent.RescaleFactor) : 1,
            ImageMean = normalizes ? Colours(section, "image_mean", -MostOfColour) ?? absent.ImageMean : [0, 0, 0],
            ImageStd = normalizes ? Colours(section, "image_std", 1e-6) ?? absent.ImageStd : [1, 1, 1],
        };
        return config.MinPixels <= config.MaxPixels ? config : throw section.Unsupported("min_pixels", $"is {config.MinPixels}, more than max_pixels {config.MaxPixels}");
    }

    private static void CheckSteps(ConfigSection section)
    {
        section.RequireFlag("do_resize", true);
        section.RequireFlag("do_convert_rgb", true);
        section.RequireFlag("do_center_crop", false);
        section.RequireFlag("do_pad", false);
        section.RequireWhole("resample", Bicubic);
        section.RequireText("data_format", "channels_first");
        section.RequireAbsent("input_data_format");
    }

    // Beside size stand, in files of every age, min_pixels and max_pixels, which count more.
    private static int PixelLimit(ConfigSection section, string key, string edgeKey, int fallback)
    {
        if (section.Section("size") is not { } size)
        {
            return section.Whole(key, 1, MaxPixelCount, fallback);
        }

        if (size.Has("height") || size.Has("width"))
        {
            throw section.Unsupported("size", "has a height and a width; images keep their shape, within the pixel counts 'shortest_edge' and 'longest_edge'");
        }

        return section.Has(key) ? section.Whole(key, 1, MaxPixelCount) : size.Whole(edgeKey, key, 1, MaxPixelCount);
    }

    private static float[]? Colours(ConfigSection section, string key, double least)
    {
        var values = section.Numbers(key, least, MostOfColour);
        return values is null or { Length: 3 } ? values : throw section.Unsupported(key, $"has {values.Length} entries; red, green and blue need one each");
    }
}
