using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MASQuant;

/// <summary>Decoded media as the plainest files that hold them, so that one path reads, limits and hashes all media.</summary>
internal static class PlainMedium
{
    private const int WavHeaderBytes = 44;
    private const int FormatBytes = 16;
    private const short Float = 3;

    /// <summary>A binary PPM of 8 bits (netpbm's P6).</summary>
    public static byte[] Ppm(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var header = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"P6\n{image.Width} {image.Height}\n255\n"));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(image.Pixels.Length, Array.MaxLength - header.Length, nameof(image));
        var file = LargeArray.Uninitialized<byte>(header.Length + image.Pixels.Length);
        header.CopyTo(file, 0);
        image.Pixels.CopyTo(file, header.Length);
        return file;
    }

    /// <summary>A RIFF WAVE file of one channel of 32-bit floating point.</summary>
    public static byte[] Wav(ReadOnlySpan<float> samples, int samplingRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samplingRate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(samples.Length, (Array.MaxLength - WavHeaderBytes) / sizeof(float), nameof(samples));
        var bytes = samples.Length * sizeof(float);
        var file = LargeArray.Uninitialized<byte>(WavHeaderBytes + bytes);
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), WavHeaderBytes - 8 + bytes);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), FormatBytes);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(20), Float);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), samplingRate);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(28), unchecked((uint)samplingRate * sizeof(float)));
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(32), sizeof(float));
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(34), 8 * sizeof(float));
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), bytes);
        for (var i = 0; i < samples.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(WavHeaderBytes + (i * sizeof(float))), samples[i]);
        }

        return file;
    }
}
