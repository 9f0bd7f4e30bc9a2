using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>Reads a JPEG file's bytes in order; running past their end is an <see cref="InvalidDataException"/>.</summary>
internal ref struct JpegReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;

    /// <summary>The offset of the next byte.</summary>
    public int Position { get; set; }

    /// <summary>The bytes that remain.</summary>
    public readonly ReadOnlySpan<byte> Rest => _data[Position..];

    /// <summary>Whether all is read.</summary>
    public readonly bool AtEnd => Position == _data.Length;

    /// <summary>Reads a byte.</summary>
    public byte ReadByte() => Position < _data.Length ? _data[Position++] : throw new InvalidDataException("the JPEG ends too early");

    /// <summary>Reads a byte as two numbers of 4 bits, the high one first.</summary>
    public (int High, int Low) ReadNibbles()
    {
        var value = ReadByte();
        return (value >> 4, value & 15);
    }

    /// <summary>Reads a big-endian number of 16 bits.</summary>
    public int ReadUInt16() => (ReadByte() << 8) | ReadByte();

    /// <summary>Reads <paramref name="count"/> bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (count < 0 || count > _data.Length - Position)
        {
            throw new InvalidDataException("the JPEG ends too early");
        }

        Position += count;
        return _data.Slice(Position - count, count);
    }

    /// <summary>The next marker. Fill bytes, and what else stands before it, are skipped, as libjpeg does.</summary>
    public byte ReadMarker()
    {
        while (true)
        {
            while (ReadByte() != 0xFF)
            {
            }

            byte marker;
            do
            {
                marker = ReadByte();
            }
            while (marker == 0xFF);

            // FF 00 is a data byte of value FF.
            if (marker != 0)
            {
                return marker;
            }
        }
    }

    /// <summary>The orientation that the content of an EXIF segment gives; null where it is another application's.</summary>
    public readonly Orientation? ReadOrientation() => Rest.StartsWith("Exif\0\0"u8) ? Orientation.Read(Rest[6..]) : null;

    /// <summary>Whether a marker follows, with all of the segment that belongs to it.</summary>
    public readonly bool GoesOn()
    {
        var ahead = this;
        try
        {
            var marker = ahead.ReadMarker();
            if (marker != JpegMarker.EndOfImage && !JpegMarker.IsAlone(marker))
            {
                ahead.ReadSegment();
            }

            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>A segment's content, without its length.</summary>
    public JpegReader ReadSegment() => new(ReadBytes(ReadUInt16() - 2));
}
