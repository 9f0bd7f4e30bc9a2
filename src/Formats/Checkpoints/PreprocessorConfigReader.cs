using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Reads <c>preprocessor_config.json</c>: the image limits as <c>min_pixels</c> and <c>max_pixels</c>, or inside <c>size</c> under these names or as <c>shortest_edge</c> and <c>longest_edge</c> (pixel counts too). An absent member takes the family's value.</summary>
public static class PreprocessorConfigReader
{
    /// <summary>The file's name.</summary>
    public const string FileName = "preprocessor_config.json";

    private const int MaxPixelCount = 1 << 30;

    /// <summary>Reads the configuration of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static PreprocessorConfig Read(IModelSource source) => Read(source.ReadFile(FileName), Path.Combine(source.Path, FileName), source.Family.Preprocessor);

    /// <summary>Reads the content of the file; <paramref name="file"/> is the name for messages, <paramref name="absent"/> has the values of absent members.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static PreprocessorConfig Read(ReadOnlyMemory<byte> json, string file, PreprocessorConfig absent) => ConfigSection.Read(json, file, root =>
    {
        var config = absent with
        {
            MinPixels = PixelLimit(root, "min_pixels", "shortest_edge", absent.MinPixels),
            MaxPixels = PixelLimit(root, "max_pixels", "longest_edge", absent.MaxPixels),
            ImageMean = root.Numbers("image_mean", -10, 10) ?? absent.ImageMean,
            ImageStd = root.Numbers("image_std", 1e-6, 10) ?? absent.ImageStd,
            SamplingRate = root.Whole("sampling_rate", 1000, 384_000, absent.SamplingRate),
            FourierSize = root.Whole("n_fft", 16, 1 << 16, absent.FourierSize),
            HopLength = root.Whole("hop_length", 1, 1 << 16, absent.HopLength),
            ChunkLength = root.Whole("chunk_length", 1, 36_000, absent.ChunkLength),
        };
        if (config.MinPixels > config.MaxPixels)
        {
            throw root.Unsupported("min_pixels", $"is {config.MinPixels}, more than max_pixels {config.MaxPixels}");
        }

        CheckChannels(root, "image_mean", config.ImageMean);
        CheckChannels(root, "image_std", config.ImageStd);
        return config;
    });

    private static int PixelLimit(ConfigSection root, string key, string edgeKey, int fallback)
    {
        var sized = root.Section("size") is { } size ? size.Whole(key, edgeKey, 1, MaxPixelCount, fallback) : fallback;
        return root.Whole(key, 1, MaxPixelCount, sized);
    }

    private static void CheckChannels(ConfigSection root, string key, IReadOnlyList<float> values)
    {
        if (values.Count != 3)
        {
            throw root.Unsupported(key, $"has {values.Count} entries; red, green and blue need one each");
        }
    }
}
