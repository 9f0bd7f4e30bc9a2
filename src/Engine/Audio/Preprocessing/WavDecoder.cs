using System.Buffers.Binary;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>Reads RIFF WAVE files: PCM of 8 to 32 bits, floating point, WAVE_FORMAT_EXTENSIBLE, any number of channels.</summary>
internal readonly ref struct WavDecoder
{
    // Encoders that cannot seek back to fill in the length write about this, or 2³² − 1: the samples go on to the file's end.
    private const uint UnknownLength = 0x7FFF_0000;

    private readonly ReadOnlySpan<byte> _data;
    private readonly string? _path;

    private WavDecoder(WavFormat format, ReadOnlySpan<byte> data, string? path)
    {
        Format = format;
        _data = data;
        _path = path;
    }

    /// <summary>How the samples are coded.</summary>
    public WavFormat Format { get; }

    /// <summary>Samples a channel.</summary>
    public int Frames => _data.Length / Format.FrameBytes;

    /// <summary>Whether the file begins as one.</summary>
    public static bool IsWav(ReadOnlySpan<byte> file) => file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WAVE"u8);

    /// <summary>Finds the format and the samples among the file's chunks.</summary>
    /// <exception cref="MASQuantException">MASQ0311 or MASQ0312.</exception>
    public static WavDecoder Open(ReadOnlySpan<byte> file, string? path)
    {
        if (!IsWav(file))
        {
            throw AudioDecoder.NotSupported(path, "the file is not a RIFF WAVE file");
        }

        WavFormat? format = null;
        var rest = file[12..];
        while (rest.Length >= 8)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            var isData = rest.StartsWith("data"u8);
            var isFormat = rest.StartsWith("fmt "u8);
            rest = rest[8..];
            if (isData && IsUnknown(length, file, rest.Length))
            {
                return Create(format, WholeFrames(format, rest), path);
            }

            if (length > (uint)rest.Length)
            {
                throw AudioDecoder.Corrupt(path, $"a chunk promises {length} bytes and {rest.Length} follow");
            }

            var chunk = rest[..(int)length];
            if (isFormat)
            {
                format = WavFormat.Parse(chunk, path);
            }
            else if (isData)
            {
                return Create(format, chunk, path);
            }

            // Chunks of odd length are padded to an even one.
            rest = rest[Math.Min((int)length + (int)(length & 1), rest.Length)..];
        }

        throw AudioDecoder.Corrupt(path, "it has no data chunk");
    }

    /// <summary>The samples, each the mean of its channels.</summary>
    /// <exception cref="MASQuantException">MASQ0312: a sample is NaN or infinite.</exception>
    public float[] ReadMono()
    {
        var samples = LargeArray.Zeros<float>(Frames);
        var data = _data;
        for (var frame = 0; frame < samples.Length; frame++)
        {
            var sum = 0f;
            for (var channel = 0; channel < Format.Channels; channel++)
            {
                sum += Format.ReadSample(data);
                data = data[Format.BytesPerSample..];
            }

            samples[frame] = sum / Format.Channels;
            if (!float.IsFinite(sum))
            {
                throw AudioDecoder.Corrupt(_path, $"sample {frame} is not finite");
            }
        }

        return samples;
    }

    // Or they leave it 0, and the file's length wrong too: a clip that has no samples has that right.
    private static bool IsUnknown(uint length, ReadOnlySpan<byte> file, int rest)
        => length == 0 ? BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) != file.Length - 8 : length >= UnknownLength && length > rest;

    // A pipe may break within a frame.
    private static ReadOnlySpan<byte> WholeFrames(WavFormat? format, ReadOnlySpan<byte> data)
        => format is { } known ? data[..(data.Length / known.FrameBytes * known.FrameBytes)] : data;

    private static WavDecoder Create(WavFormat? format, ReadOnlySpan<byte> data, string? path)
    {
        if (format is not { } known)
        {
            throw AudioDecoder.Corrupt(path, "no fmt chunk stands before its data chunk");
        }

        if (data.IsEmpty || data.Length % known.FrameBytes != 0)
        {
            throw AudioDecoder.Corrupt(path, $"its {data.Length} bytes of samples are not whole frames of {known.FrameBytes} bytes, at least one");
        }

        return new WavDecoder(known, data, path);
    }
}
