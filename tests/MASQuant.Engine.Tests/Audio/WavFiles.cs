using System.Buffers.Binary;

namespace MASQuant.Engine.Tests.Audio;

/// <summary>WAV files made for a test.</summary>
internal static class WavFiles
{
    /// <summary>16-bit mono silence.</summary>
    public static byte[] Silence(int samples, int rate = 16000)
    {
        const int Header = 44;
        var file = new byte[Header + (2 * samples)];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        file[16] = 16;
        (file[20], file[22], file[32], file[34]) = (1, 1, 2, 16);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(28), 2 * rate);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), file.Length - Header);
        return file;
    }
}
