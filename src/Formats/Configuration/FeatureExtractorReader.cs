namespace MASQuant.Formats.Configuration;

/// <summary>Reads what a feature extractor does to sound: a log-mel spectrogram as WhisperFeatureExtractor's.</summary>
internal static class FeatureExtractorReader
{
    private const int MaxWindow = 1 << 14;

    /// <summary>Reads <paramref name="section"/>.</summary>
    /// <param name="section">The object with the extractor's members.</param>
    /// <param name="absent">Has the values of absent members.</param>
    /// <param name="audio">The tower, which takes the spectrogram.</param>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static PreprocessorConfig Read(ConfigSection section, PreprocessorConfig absent, AudioConfig audio)
    {
        var config = absent with
        {
            FourierSize = section.Whole("n_fft", 16, MaxWindow, absent.FourierSize),
            HopLength = section.Whole("hop_length", 1, MaxWindow, absent.HopLength),
            ChunkLength = section.Whole("chunk_length", 1, 36_000, absent.ChunkLength),
        };
        if (LargestFactor(config.FourierSize) > ConfigLimits.FourierRadix)
        {
            throw section.Unsupported("n_fft", $"is {config.FourierSize}, whose largest prime factor {LargestFactor(config.FourierSize)} makes transforms slow; factors up to {ConfigLimits.FourierRadix} are supported");
        }

        if (config.HopLength * ConfigLimits.FourierOverlap < config.FourierSize)
        {
            throw section.Unsupported("hop_length", $"is {config.HopLength}; at least a {ConfigLimits.FourierOverlap}th of n_fft {config.FourierSize} is supported");
        }

        section.RequireWhole("sampling_rate", absent.SamplingRate); // What sound is decoded to.
        section.RequireWhole("feature_size", audio.MelBins);
        section.RequireNumber("dither", 0);
        section.RequireNumber("padding_value", 0);
        section.RequireText("padding_side", "right");

        if (!section.Has("image_mean"))
        {
            section.RequireFlag("do_normalize", false); // In a file that it shares with images, it is theirs.
        }

        // Both follow from the others; transformers writes what it computed.
        var samples = (double)config.ChunkLength * config.SamplingRate;
        section.RequireNumber("n_samples", samples);
        section.RequireNumber("nb_max_frames", Math.Floor(samples / config.HopLength));
        return config;
    }

    private static int LargestFactor(int number)
    {
        var largest = 1;
        for (var factor = 2; number > 1; factor++)
        {
            for (; number % factor == 0; number /= factor)
            {
                largest = factor;
            }
        }

        return largest;
    }
}
