using System.Buffers;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>Makes WAV of what further decoders read, so that one path counts, resamples and hashes all clips.</summary>
internal static class AudioTranscoder
{
    private const int PieceFrames = 4096;
    private const int MostChannels = 255; // Containers have a byte for them.

    /// <summary>The clip as a WAV file: itself, or one of floating point with the mean of its channels, read no further than the limits go. What no decoder recognizes stays as it is.</summary>
    /// <exception cref="MASQuantException">MASQ0311, MASQ0312, MASQ0313 or MASQ0320.</exception>
    public static ReadOnlyMemory<byte> AsWav(ReadOnlyMemory<byte> file, string path, ModelLimits limits, IReadOnlyList<IAudioDecoder> decoders, CancellationToken cancellationToken = default)
    {
        try
        {
            if (WavDecoder.IsWav(file.Span) || decoders.FirstOrDefault(decoder => decoder.Recognizes(file.Span)) is not { } decoder)
            {
                return file;
            }

            using var reader = decoder.Open(file);
            return Read(reader, path, limits, cancellationToken);
        }
        catch (Exception error) when (MediumError.IsOfTheFile(error, cancellationToken))
        {
            throw AudioDecoder.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    private static byte[] Read(IAudioReader reader, string path, ModelLimits limits, CancellationToken cancellationToken)
    {
        var (channels, rate) = (reader.Channels, reader.SamplingRate);
        if (channels is < 1 or > MostChannels)
        {
            throw AudioDecoder.NotSupported(path, $"{channels} channels are not 1 to {MostChannels}");
        }

        if (!WavFormat.IsRate(rate))
        {
            throw AudioDecoder.RateNotSupported(path, rate);
        }

        var mono = new ArrayBufferWriter<float>();
        var piece = new float[PieceFrames * channels];
        while (reader.Read(piece) is not 0 and var read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (read < 0 || read > piece.Length || read % channels != 0)
            {
                throw AudioDecoder.Corrupt(path, $"{read} samples are no frames of {channels} channels");
            }

            var frames = (long)mono.WrittenCount + (read / channels);
            AudioDecoder.RequireFrames(frames, rate, path, limits);
            limits.RequireBytes(frames * 3 * sizeof(float), path); // As many again while they are moved to a longer array, and as the file.
            Mix(piece.AsSpan(0, read), channels, mono.GetSpan(read / channels));
            mono.Advance(read / channels);
        }

        return PlainMedium.Wav(mono.WrittenSpan, rate);
    }

    // The mean, as of a WAV file's channels.
    private static void Mix(ReadOnlySpan<float> samples, int channels, Span<float> mono)
    {
        for (var frame = 0; frame < samples.Length / channels; frame++)
        {
            var sum = 0f;
            foreach (var sample in samples.Slice(frame * channels, channels))
            {
                sum += sample;
            }

            mono[frame] = sum / channels;
        }
    }
}
