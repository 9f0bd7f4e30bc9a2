using System.Buffers.Binary;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>How a WAV file codes its samples: its <c>fmt </c> chunk.</summary>
/// <param name="IsFloat">IEEE floating point, else PCM.</param>
/// <param name="Channels">Samples a frame.</param>
/// <param name="SamplingRate">Frames a second.</param>
/// <param name="BytesPerSample">1 (unsigned), 2, 3 or 4 for PCM, 4 or 8 for floating point.</param>
internal readonly record struct WavFormat(bool IsFloat, int Channels, int SamplingRate, int BytesPerSample)
{
    public const int MinSamplingRate = 1000;
    public const int MaxSamplingRate = 768000;
    private const int Pcm = 1;
    private const int Float = 3;
    private const int Extensible = 0xFFFE;

    /// <summary>Bytes a frame.</summary>
    public int FrameBytes => Channels * BytesPerSample;

    // A subformat is the format's code followed by this (KSDATAFORMAT_SUBTYPE_PCM and its siblings).
    private static ReadOnlySpan<byte> SubformatTail => [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    /// <summary>Whether clips of this rate, Hz, are heard.</summary>
    public static bool IsRate(long rate) => rate is >= MinSamplingRate and <= MaxSamplingRate;

    /// <summary>Reads and checks the chunk.</summary>
    public static WavFormat Parse(ReadOnlySpan<byte> chunk, string? path)
    {
        if (chunk.Length < 16)
        {
            throw AudioDecoder.Corrupt(path, "its fmt chunk is too short");
        }

        int code = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        int channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
        var rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
        int frameBytes = BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
        if (code == Extensible)
        {
            if (chunk.Length < 40 || !chunk.Slice(26, 14).SequenceEqual(SubformatTail))
            {
                throw AudioDecoder.NotSupported(path, "its extensible format is unknown");
            }

            code = BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]);
        }

        var known = (code == Pcm && bits is 8 or 16 or 24 or 32) || (code == Float && bits is 32 or 64);
        if (!known)
        {
            throw AudioDecoder.NotSupported(path, $"format {code} with {bits} bits is not known");
        }

        if (!IsRate(rate))
        {
            throw AudioDecoder.RateNotSupported(path, rate);
        }

        if (channels == 0 || frameBytes != channels * bits / 8)
        {
            throw AudioDecoder.Corrupt(path, $"{channels} channels of {bits} bits do not make frames of {frameBytes} bytes");
        }

        return new WavFormat(code == Float, channels, (int)rate, bits / 8);
    }

    /// <summary>One sample, scaled to −1…1.</summary>
    public float ReadSample(ReadOnlySpan<byte> bytes) => (IsFloat, BytesPerSample) switch
    {
        (true, 4) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        (true, _) => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        (_, 1) => (bytes[0] - 128) / 128f,
        (_, 2) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32768f,
        (_, 3) => (bytes[0] | (bytes[1] << 8) | ((sbyte)bytes[2] << 16)) / 8388608f,
        _ => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2147483648f,
    };
}
