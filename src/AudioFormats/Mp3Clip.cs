using System.Buffers.Binary;

namespace MASQuant.AudioFormats;

/// <summary>Where the clip lies in what an MP3 file is decoded to.</summary>
/// <param name="Before">Frames of samples before it.</param>
/// <param name="Frames">Frames of samples that it has, as far as the file says; else more than any file has.</param>
/// <param name="IsTagged">Whether the first frame holds this, and no sound.</param>
internal readonly record struct Mp3Clip(long Before, long Frames, bool IsTagged)
{
    // What the decoder's filters delay: 528 samples, and one.
    private const int DecoderDelay = 529;
    private const int FramesFlag = 1;
    private const int BytesFlag = 2;
    private const int TableFlag = 4;
    private const int QualityFlag = 8;
    private const int TableBytes = 100;
    private const int DelayOffset = 21; // In LAME's tag.

    /// <summary>By the tag that encoders write in place of the first frame's data (Xing's, extended by LAME); without one the decoder's delay is what stands before the clip.</summary>
    public static Mp3Clip Of(Mp3Frame first)
    {
        var tag = first.Data;
        var tagged = tag.Length >= 8 && (tag.StartsWith("Xing"u8) || tag.StartsWith("Info"u8));
        var unknown = new Mp3Clip(DecoderDelay, long.MaxValue, tagged);
        if (!tagged)
        {
            return unknown;
        }

        var flags = tag[7];
        var lame = 8 + ((flags & FramesFlag) == 0 ? 0 : 4) + ((flags & BytesFlag) == 0 ? 0 : 4) + ((flags & TableFlag) == 0 ? 0 : TableBytes) + ((flags & QualityFlag) == 0 ? 0 : 4);
        if (tag.Length < lame + DelayOffset + 3)
        {
            return unknown;
        }

        // Two numbers of twelve bits.
        var numbers = tag[(lame + DelayOffset)..];
        var (delay, padding) = ((numbers[0] << 4) | (numbers[1] >> 4), ((numbers[1] & 15) << 8) | numbers[2]);
        if (delay == 0 || (flags & FramesFlag) == 0)
        {
            return unknown with { Before = delay + DecoderDelay };
        }

        var samples = (long)BinaryPrimitives.ReadUInt32BigEndian(tag[8..]) * first.SampleCount;
        return new Mp3Clip(delay + DecoderDelay, Math.Max(0, samples - delay - padding), tagged);
    }
}
