using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>Decodes audio files to what the audio tower's preprocessing takes.</summary>
public static class AudioDecoder
{
    /// <summary>The rate of the samples, per second.</summary>
    public const int SamplingRate = 16000;

    /// <summary>How many samples <see cref="Decode"/> gives, by the file's header.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <param name="limits">What is too much; null: the defaults.</param>
    /// <exception cref="MASQuantException">MASQ0311, MASQ0312, MASQ0313 or MASQ0320.</exception>
    public static int CountSamples(ReadOnlySpan<byte> file, string? path, ModelLimits? limits = null)
    {
        try
        {
            var wav = Open(file, path, limits ?? new ModelLimits());
            return Resampler.Count(wav.Frames, wav.Format.SamplingRate, SamplingRate);
        }
        catch (Exception error) when (MediumError.IsOfTheFile(error))
        {
            throw Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>Decodes a WAV file to mono samples at 16 kHz, in −1…1.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <param name="limits">What is too much; null: the defaults.</param>
    /// <exception cref="MASQuantException">MASQ0311, MASQ0312, MASQ0313 or MASQ0320.</exception>
    public static float[] Decode(ReadOnlySpan<byte> file, string? path, ModelLimits? limits = null)
    {
        try
        {
            var wav = Open(file, path, limits ?? new ModelLimits());
            var samples = Resampler.Resample(wav.ReadMono(), wav.Format.SamplingRate, SamplingRate);
            return Array.TrueForAll(samples, float.IsFinite) ? samples : throw Corrupt(path, "its samples are too large to be resampled");
        }
        catch (Exception error) when (MediumError.IsOfTheFile(error))
        {
            throw Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    private static WavDecoder Open(ReadOnlySpan<byte> file, string? path, ModelLimits limits)
    {
        var wav = WavDecoder.Open(file, path);
        var (frames, rate) = ((long)wav.Frames, wav.Format.SamplingRate);
        RequireFrames(frames, rate, path, limits);

        // Samples as stored and at the rate that is heard, of which a small file of a low rate makes many, and what they are resampled by.
        limits.RequireBytes(((frames + (frames * SamplingRate / rate)) * sizeof(float)) + ((long)Resampler.CachedWeights(wav.Frames, rate, SamplingRate) * sizeof(double)), path);
        return wav;
    }

    /// <summary>Refuses a clip that lasts too long.</summary>
    internal static void RequireFrames(long frames, int rate, string? path, ModelLimits limits)
    {
        if (frames > (long)limits.AudioSeconds * rate)
        {
            throw new MASQuantException(DiagnosticCodes.AudioTooLong, path, string.Create(CultureInfo.InvariantCulture,
                $"The clip lasts {(frames + rate - 1) / rate} s; the limit is {limits.AudioSeconds} s (ModelLimits.AudioSeconds). Split it, or raise the limit."));
        }
    }

    internal static MASQuantException Corrupt(string? path, string what, Exception? cause = null) =>
        new(DiagnosticCodes.AudioCorrupt, path, $"The audio cannot be read: {what}. Export it again from its source.", cause);

    internal static MASQuantException NotSupported(string? path, string what) =>
        new(DiagnosticCodes.AudioNotSupported, path, $"The audio cannot be read: {what}. Convert it to 16-bit PCM WAV.");

    internal static MASQuantException RateNotSupported(string? path, long rate) => new(DiagnosticCodes.AudioNotSupported, path, string.Create(CultureInfo.InvariantCulture,
        $"The audio cannot be read: its rate is {rate} Hz; {WavFormat.MinSamplingRate} to {WavFormat.MaxSamplingRate} Hz are read. Give its true rate, or resample it to {SamplingRate} Hz."));

    internal static MASQuantException TooLong(string? path, long seconds, int limit) =>
        new(DiagnosticCodes.AudioTooLong, path, $"The clip lasts {seconds} s; the model takes at most {limit} s. Split it.");
}
