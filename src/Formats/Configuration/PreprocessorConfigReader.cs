using MASQuant.Formats.Safetensors;

namespace MASQuant.Formats.Configuration;

/// <summary>Reads <c>preprocessor_config.json</c>: the image limits as <c>min_pixels</c> and <c>max_pixels</c>, or inside <c>size</c> under these names or as <c>shortest_edge</c> and <c>longest_edge</c> (pixel counts too). Defaults of transformers' Qwen2VLImageProcessor and WhisperFeatureExtractor.</summary>
public static class PreprocessorConfigReader
{
    /// <summary>The file's name.</summary>
    public const string FileName = "preprocessor_config.json";

    private const int MaxPixelCount = 1 << 30;

    private static readonly float[] ClipMean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] ClipStd = [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>Reads the configuration of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static PreprocessorConfig Read(IModelSource source) => Read(source.ReadFile(FileName), Path.Combine(source.Path, FileName));

    /// <summary>Reads the content of the file; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static PreprocessorConfig Read(ReadOnlyMemory<byte> json, string file) => ConfigSection.Read(json, file, root =>
    {
        var config = new PreprocessorConfig
        {
            MinPixels = PixelLimit(root, "min_pixels", "shortest_edge", 56 * 56),
            MaxPixels = PixelLimit(root, "max_pixels", "longest_edge", 28 * 28 * 1280),
            ImageMean = root.Numbers("image_mean", -10, 10) ?? ClipMean,
            ImageStd = root.Numbers("image_std", 1e-6, 10) ?? ClipStd,
            SamplingRate = root.Whole("sampling_rate", 1000, 384_000, 16_000),
            FourierSize = root.Whole("n_fft", 16, 1 << 16, 400),
            HopLength = root.Whole("hop_length", 1, 1 << 16, 160),
            ChunkLength = root.Whole("chunk_length", 1, 36_000, 300),
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
