using System.Buffers.Binary;

namespace MASQuant.Engine.Vision.Pixels;

/// <summary>How a camera was held: EXIF's orientation (tag 0x0112), 1 … 8, which says where the first stored row and column are to be seen.</summary>
internal readonly record struct Orientation
{
    private const int Tag = 0x0112;
    private const int ShortType = 3;
    private const int EntryBytes = 12;

    private readonly int _value;

    private Orientation(int value) => _value = value;

    /// <summary>Whether stored rows are columns to be seen.</summary>
    private bool Swaps => _value is >= 5 and <= 8;

    private bool MirrorsRows => _value is 3 or 4 or 6 or 7;

    private bool MirrorsColumns => _value is 2 or 3 or 7 or 8;

    /// <summary>The orientation in the first directory of a TIFF structure, which EXIF is; as stored where it is malformed or says nothing.</summary>
    public static Orientation Read(ReadOnlySpan<byte> tiff)
    {
        var little = tiff.StartsWith("II"u8);
        if (tiff.Length < 8 || !(little || tiff.StartsWith("MM"u8)) || UInt16(tiff[2..]) != 42)
        {
            return default;
        }

        var start = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (start > tiff.Length - 2)
        {
            return default;
        }

        var entries = tiff[((int)start + 2)..];
        for (var left = UInt16(tiff[(int)start..]); left > 0 && entries.Length >= EntryBytes; left--, entries = entries[EntryBytes..])
        {
            if (UInt16(entries) == Tag)
            {
                return UInt16(entries[2..]) == ShortType ? new Orientation(UInt16(entries[8..])) : default;
            }
        }

        return default;

        int UInt16(ReadOnlySpan<byte> bytes) => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    /// <summary>The pixels across and down that are to be seen of what is stored.</summary>
    public (int Width, int Height) Upright(int width, int height) => Swaps ? (height, width) : (width, height);

    /// <summary>The image as it is to be seen.</summary>
    public RgbImage Upright(RgbImage stored)
    {
        if (!Swaps && !MirrorsRows && !MirrorsColumns)
        {
            return stored;
        }

        var (width, height) = Upright(stored.Width, stored.Height);
        var upright = new RgbImage(width, height, LargeArray.Zeros<byte>(stored.Pixels.Length));
        for (var y = 0; y < height; y++)
        {
            var target = upright.Row(y);
            for (var x = 0; x < width; x++)
            {
                var (column, row) = Swaps ? (y, x) : (x, y);
                column = MirrorsColumns ? stored.Width - 1 - column : column;
                row = MirrorsRows ? stored.Height - 1 - row : row;
                stored.Row(row).Slice(column * 3, 3).CopyTo(target[(x * 3)..]);
            }
        }

        return upright;
    }
}
