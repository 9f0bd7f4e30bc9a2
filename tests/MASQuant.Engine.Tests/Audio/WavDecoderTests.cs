using System.Buffers.Binary;
using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio.Preprocessing;

namespace MASQuant.Engine.Tests.Audio;

public class WavDecoderTests
{
    private const double Quarter = 0.25;

    [Theory]
    [InlineData(1, 8, "A0")]
    [InlineData(1, 16, "0020")]
    [InlineData(1, 24, "000020")]
    [InlineData(1, 32, "00000020")]
    [InlineData(3, 32, "0000803E")]
    [InlineData(3, 64, "000000000000D03F")]
    public void Every_coding_of_a_quarter_reads_as_a_quarter(int code, int bits, string sample)
    {
        var bytes = Convert.FromHexString(sample);
        Assert.Equal([Quarter], Decode(Wav(Format(code, 1, bits), bytes)).Select(s => (double)s));
        Assert.Equal([Quarter], Decode(Wav(Extensible(code, 1, bits), bytes)).Select(s => (double)s));
    }

    [Theory]
    [InlineData(8, "00")]
    [InlineData(16, "0080")]
    [InlineData(24, "000080")]
    [InlineData(32, "00000080")]
    public void The_lowest_pcm_sample_is_minus_one(int bits, string sample) =>
        Assert.Equal([-1f], Decode(Wav(Format(1, 1, bits), Convert.FromHexString(sample))));

    [Fact]
    public void Channels_are_averaged()
    {
        // 16-bit frames of three channels: (8192, −8192, 24576) and (0, 0, 3).
        byte[] data = [0x00, 0x20, 0x00, 0xE0, 0x00, 0x60, 0, 0, 0, 0, 3, 0];
        Assert.Equal([0.25f, 1 / 32768f], Decode(Wav(Format(1, 3, 16), data)));
    }

    [Fact]
    public void Other_chunks_and_their_padding_are_skipped()
    {
        byte[] data = [0x00, 0x20];
        var file = Riff([.. Chunk("LIST", [1, 2, 3]), .. Chunk("fmt ", Format(1, 1, 16)), .. Chunk("note", [1]), .. Chunk("data", data), .. Chunk("data", [0, 0])]);
        Assert.Equal([0.25f], Decode(file));
    }

    // Each is finite; interpolated, a step between the largest overshoots.
    [Fact]
    public void Samples_that_cannot_be_resampled_are_refused()
    {
        var file = Wav(Format(3, 1, 32), [.. Enumerable.Range(0, 96).SelectMany(i => BitConverter.GetBytes(i % 64 < 32 ? float.MaxValue : float.MinValue))]);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), 48000);
        Assert.Equal(DiagnosticCodes.AudioCorrupt, Assert.Throws<MASQuantException>(() => AudioDecoder.Decode(file, null)).Code);
    }

    // 16 000 places between samples of 15 999 Hz: two seconds fill them, a few samples need no more weights than they are.
    [Theory]
    [InlineData(32000, 20_000_000, false)]
    [InlineData(32000, 1_000_000, true)]
    [InlineData(20, 1000, false)]
    public void Weights_count_where_they_are_kept(int samples, long bytes, bool refused)
    {
        var error = Record.Exception(() => AudioDecoder.Decode(WavFiles.Silence(samples, rate: 15999), null, new ModelLimits { MediumBytes = bytes }));
        Assert.Equal(refused ? DiagnosticCodes.MediumTooLarge : null, (error as MASQuantException)?.Code);
        Assert.Equal(0, Resampler.CachedWeights(20, 15999, 16000));
        Assert.Equal(16000 * 2 * 64, Resampler.CachedWeights(32000, 15999, 16000)); // 64 crossings a side.
    }

    [Theory]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0x7FFF_F000u, 0x7FFF_F024u)] // SoX
    [InlineData(0u, 0u)]
    [InlineData(0u, 36u)]
    public void An_unknown_length_means_the_rest_of_the_file(uint length, uint fileLength)
    {
        var file = Wav(Format(1, 1, 16), [0x00, 0x20, 0x00, 0xC0]);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(40), length);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), fileLength);
        Assert.Equal([0.25f, -0.5f], Decode(file));
        Assert.Equal([0.25f, -0.5f], Decode([.. file, 0x01])); // the pipe broke within a sample
        AssertRefused(DiagnosticCodes.AudioCorrupt, file[..44]);
    }

    [Fact]
    public void A_length_that_is_known_is_kept()
    {
        // A clip without samples whose other chunks are none, and one that lacks samples.
        AssertRefused(DiagnosticCodes.AudioCorrupt, Riff([.. Chunk("fmt ", Format(1, 1, 16)), .. Chunk("data", []), .. Chunk("LIST", [1, 2])]));
        var file = Wav(Format(1, 1, 16), [0x00, 0x20, 0x00, 0xC0]);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(40), 0x7000_0000);
        AssertRefused(DiagnosticCodes.AudioCorrupt, file);
    }

    [Fact]
    public void Damaged_files_are_refused()
    {
        var good = Wav(Format(1, 1, 16), [0x00, 0x20, 0x00, 0x20]);
        AssertRefused(DiagnosticCodes.AudioNotSupported, []);
        AssertRefused(DiagnosticCodes.AudioNotSupported, Encoding.ASCII.GetBytes("ID3 this is an MP3 file"));
        AssertRefused(DiagnosticCodes.AudioCorrupt, good[..^2]);
        AssertRefused(DiagnosticCodes.AudioCorrupt, good[..20]);
        AssertRefused(DiagnosticCodes.AudioCorrupt, good[..36]);
        AssertRefused(DiagnosticCodes.AudioCorrupt, Riff(Chunk("data", [0, 0])));
        AssertRefused(DiagnosticCodes.AudioCorrupt, Wav(Format(1, 1, 16), []));
        AssertRefused(DiagnosticCodes.AudioCorrupt, Wav(Format(1, 2, 16), [0, 0]));
        AssertRefused(DiagnosticCodes.AudioCorrupt, Wav(Format(1, 0, 16), [0, 0]));
        AssertRefused(DiagnosticCodes.AudioNotSupported, Wav(Format(1, 1, 12), [0, 0]));
        AssertRefused(DiagnosticCodes.AudioNotSupported, Wav(Format(2, 1, 16), [0, 0]));
        AssertRefused(DiagnosticCodes.AudioNotSupported, Wav(Format(1, 1, 16, rate: 0), [0, 0]));
        AssertRefused(DiagnosticCodes.AudioCorrupt, Wav(Format(3, 1, 32), BitConverter.GetBytes(float.NaN)));
        AssertRefused(DiagnosticCodes.AudioCorrupt, Wav(Format(3, 1, 64), BitConverter.GetBytes(1e300)));
        AssertRefused(DiagnosticCodes.AudioTooLong, Wav(Format(1, 1, 8, rate: 1000), new byte[600_001]));
    }

    [Fact]
    public void Any_bytes_give_samples_or_a_diagnostic()
    {
        var good = Wav(Extensible(1, 2, 16), new byte[64]);
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var file = good.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                file[random.Next(file.Length)] = (byte)random.Next(256);
            }

            try
            {
                Assert.All(Decode(file[..random.Next(file.Length + 1)]), s => Assert.True(float.IsFinite(s)));
            }
            catch (MASQuantException error)
            {
                Assert.StartsWith("MASQ031", error.Code, StringComparison.Ordinal);
            }
        }
    }

    private static float[] Decode(byte[] file) => AudioDecoder.Decode(file, "test.wav");

    private static void AssertRefused(string code, byte[] file)
    {
        var error = Assert.Throws<MASQuantException>(() => Decode(file));
        Assert.Equal((code, "test.wav"), (error.Code, error.File));
    }

    private static byte[] Format(int code, int channels, int bits, int rate = 16000)
    {
        var chunk = new byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(chunk, (ushort)code);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk.AsSpan(2), (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(chunk.AsSpan(4), rate);
        BinaryPrimitives.WriteInt32LittleEndian(chunk.AsSpan(8), rate * channels * bits / 8);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk.AsSpan(12), (ushort)(channels * bits / 8));
        BinaryPrimitives.WriteUInt16LittleEndian(chunk.AsSpan(14), (ushort)bits);
        return chunk;
    }

    private static byte[] Extensible(int code, int channels, int bits)
    {
        var chunk = Format(0xFFFE, channels, bits);
        return [.. chunk, 22, 0, (byte)bits, 0, 4, 0, 0, 0, (byte)code, 0, .. Convert.FromHexString("000000001000800000AA00389B71")];
    }

    private static byte[] Wav(byte[] format, byte[] data) => Riff([.. Chunk("fmt ", format), .. Chunk("data", data)]);

    private static byte[] Riff(byte[] chunks) => [.. Encoding.ASCII.GetBytes("RIFF"), .. BitConverter.GetBytes(chunks.Length + 4), .. Encoding.ASCII.GetBytes("WAVE"), .. chunks];

    private static byte[] Chunk(string name, byte[] content) =>
        [.. Encoding.ASCII.GetBytes(name), .. BitConverter.GetBytes(content.Length), .. content, .. new byte[content.Length % 2]];
}
