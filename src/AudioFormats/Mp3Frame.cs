using System.Buffers.Binary;
using NLayer;

namespace MASQuant.AudioFormats;

/// <summary>A frame of layer III and its header (ISO/IEC 11172-3, 2.4.1.3, and 13818-3), as NLayer's decoder asks for it. NLayer's own search for frames believes the lengths of tags and allocates them.</summary>
internal sealed class Mp3Frame : IMpegFrame
{
    private const int HeaderBytes = 4;
    private const int ChecksumBytes = 2;

    private static readonly int[] FirstRates = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    private static readonly int[] LaterRates = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

    private readonly ReadOnlyMemory<byte> _file;
    private readonly uint _header;
    private int _bit;

    private Mp3Frame(ReadOnlyMemory<byte> file, uint header) => (_file, _header) = (file, header);

    public MpegVersion Version => ((_header >> 19) & 3) switch { 0 => MpegVersion.Version25, 2 => MpegVersion.Version2, _ => MpegVersion.Version1 };

    public MpegLayer Layer => MpegLayer.LayerIII;

    public bool HasCrc => (_header & 0x10000) == 0;

    public int BitRateIndex => (int)(_header >> 12) & 15;

    /// <summary>Bits a second.</summary>
    public int BitRate => 1000 * (Version == MpegVersion.Version1 ? FirstRates : LaterRates)[BitRateIndex];

    public int SampleRateIndex => (int)(_header >> 10) & 3;

    public int SampleRate => (SampleRateIndex switch { 0 => 44100, 1 => 48000, _ => 32000 }) / (Version switch { MpegVersion.Version1 => 1, MpegVersion.Version2 => 2, _ => 4 });

    public MpegChannelMode ChannelMode => (MpegChannelMode)((_header >> 6) & 3);

    public int ChannelModeExtension => (int)(_header >> 4) & 3;

    public bool IsCopyrighted => (_header & 8) != 0;

    public bool IsCorrupted => false;

    public int Channels => ChannelMode == MpegChannelMode.Mono ? 1 : 2;

    /// <summary>Samples a channel.</summary>
    public int SampleCount => Version == MpegVersion.Version1 ? 1152 : 576;

    /// <summary>Bytes, the header's included.</summary>
    public int FrameLength => (SampleCount / 8 * BitRate / SampleRate) + ((int)(_header >> 9) & 1);

    /// <summary>Whether all of its bytes are there.</summary>
    public bool IsWhole => FrameLength <= _file.Length;

    /// <summary>Bytes from its start to its first granule's data: header, checksum, side information.</summary>
    public int DataOffset => HeaderBytes + (HasCrc ? ChecksumBytes : 0) + (Version, Channels) switch
    {
        (MpegVersion.Version1, 1) => 17,
        (MpegVersion.Version1, _) => 32,
        (_, 1) => 9,
        _ => 17,
    };

    /// <summary>Its granules' data.</summary>
    public ReadOnlySpan<byte> Data => _file.Span[DataOffset..Math.Max(DataOffset, Math.Min(FrameLength, _file.Length))];

    /// <summary>The frame that begins here; null where none does: eleven set bits, a version that exists, layer III, a bit rate and a sampling rate of the tables.</summary>
    public static Mp3Frame? At(ReadOnlyMemory<byte> file)
    {
        if (file.Length < HeaderBytes)
        {
            return null;
        }

        var header = BinaryPrimitives.ReadUInt32BigEndian(file.Span);
        var known = (header & 0xFFE60000) == 0xFFE20000 && (header & 0x180000) != 0x080000 && (header & 0xF000) is not (0 or 0xF000) && (header & 0xC00) != 0xC00;
        var frame = new Mp3Frame(file, header);
        return known && frame.DataOffset <= Math.Min(frame.FrameLength, file.Length) ? frame : null;
    }

    /// <summary>To the first bit behind header and checksum.</summary>
    public void Reset() => _bit = 8 * (HeaderBytes + (HasCrc ? ChecksumBytes : 0));

    /// <summary>The next bits as a number; −1 at the frame's end.</summary>
    public int ReadBits(int bitCount)
    {
        if (_bit + bitCount > 8 * Math.Min(FrameLength, _file.Length))
        {
            return -1;
        }

        var bytes = _file.Span;
        var value = 0;
        for (; bitCount > 0; bitCount--, _bit++)
        {
            value = (value << 1) | ((bytes[_bit >> 3] >> (7 - (_bit & 7))) & 1);
        }

        return value;
    }
}
