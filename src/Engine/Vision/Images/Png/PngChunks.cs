using System.Buffers.Binary;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images.Png;

/// <summary>Walks a PNG file's chunks and checks their CRCs. Of one that the file's end cuts off, pixels are given as far as they go.</summary>
internal ref struct PngChunks(ReadOnlySpan<byte> chunks, string? path)
{
    private const int HeaderBytes = 8;
    private const int Overhead = 12;
    private ReadOnlySpan<byte> _rest = chunks;
    private ReadOnlySpan<byte> _type;

    /// <summary>The content of the chunk last read.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Whether a decoder that does not know the chunk must give up.</summary>
    public readonly bool IsCritical => (_type[0] & 0x20) == 0;

    /// <summary>Whether the chunk last read is of <paramref name="type"/>.</summary>
    public readonly bool Is(ReadOnlySpan<byte> type) => _type.SequenceEqual(type);

    /// <summary>Reads one chunk; false at the end of the file.</summary>
    public bool Next()
    {
        if (_rest.Length < HeaderBytes)
        {
            return false;
        }

        if (_rest.Length < Overhead || BinaryPrimitives.ReadUInt32BigEndian(_rest) > (uint)(_rest.Length - Overhead))
        {
            _type = _rest.Slice(4, 4);
            Data = _rest.Slice(HeaderBytes, (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(_rest), (uint)(_rest.Length - HeaderBytes)));
            _rest = [];
            return Is("IDAT"u8);
        }

        var length = (int)BinaryPrimitives.ReadUInt32BigEndian(_rest);
        _type = _rest.Slice(4, 4);
        Data = _rest.Slice(HeaderBytes, length);
        if (Crc32.Compute(_rest.Slice(4, length + 4)) != BinaryPrimitives.ReadUInt32BigEndian(_rest[(length + HeaderBytes)..]))
        {
            throw ImageErrors.Corrupt(path, "the CRC of a PNG chunk is wrong");
        }

        _rest = _rest[(length + Overhead)..];
        return true;
    }
}
