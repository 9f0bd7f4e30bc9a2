using MASQuant.Engine.Vision.Images;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>EXIF's orientation is applied before anything else, as viewers do.</summary>
public class OrientationTests
{
    // Stored are the rows 12, 34, 56; what is to be seen follows from where EXIF's table puts the first row and column.
    [Theory]
    [InlineData(1, "12 34 56")]
    [InlineData(2, "21 43 65")] // top, right
    [InlineData(3, "65 43 21")] // bottom, right
    [InlineData(4, "56 34 12")] // bottom, left
    [InlineData(5, "135 246")] // left, top
    [InlineData(6, "531 642")] // right, top
    [InlineData(7, "642 531")] // right, bottom
    [InlineData(8, "246 135")] // left, bottom
    [InlineData(0, "12 34 56")]
    [InlineData(9, "12 34 56")]
    public void Images_are_seen_upright(byte orientation, string expected)
    {
        foreach (var little in (bool[])[true, false])
        {
            var file = Png(Exif(orientation, little));
            var image = ImageDecoder.Decode(file, null);
            Assert.Equal(expected, string.Join(' ', Enumerable.Range(0, image.Height).Select(y => string.Concat(Enumerable.Range(0, image.Width).Select(x => (char)image.Row(y)[3 * x])))));
            Assert.Equal((image.Width, image.Height), ImageDecoder.ReadExtents(file, null));
        }
    }

    [Fact]
    public void A_phones_JPEG_is_seen_upright()
    {
        var file = ImageFixture.Read("phone-orientation6.jpg");
        var upright = ImageDecoder.Decode(file, null);
        Assert.Equal((168, 84), (upright.Width, upright.Height));
        Assert.Equal((168, 84), ImageDecoder.ReadExtents(file, null));

        // Without its EXIF segment it lies on its side: the first row is to be seen on the right, the first column on top.
        file[file.AsSpan().IndexOf("Exif\0\0"u8)] = (byte)'e';
        var stored = ImageDecoder.Decode(file, null);
        for (var y = 0; y < upright.Height; y++)
        {
            for (var x = 0; x < upright.Width; x++)
            {
                Assert.Equal(stored.Row(stored.Height - 1 - x).Slice(3 * y, 3).ToArray(), upright.Row(y).Slice(3 * x, 3).ToArray());
            }
        }
    }

    // Whatever EXIF holds is no reason to refuse an image.
    [Fact]
    public void Malformed_EXIF_leaves_an_image_as_it_is_stored()
    {
        var exif = Exif(6, little: true);
        for (var length = 0; length < exif.Length - 4; length++)
        {
            Assert.Equal((2, 3), ImageDecoder.ReadExtents(Png(exif[..length]), null));
        }

        foreach (var (at, value) in new[] { (0, 'X'), (2, 41), (7, 0xFF), (4, 0xFF), (8, 0), (24, 4) }) // byte order, magic number, start, entries, type
        {
            var damaged = exif.ToArray();
            damaged[at] = (byte)value;
            Assert.Equal((2, 3), ImageDecoder.ReadExtents(Png(damaged), null));
        }
    }

    private static byte[] Png(byte[] exif) =>
    [
        0x89, .. "PNG\r\n\x1A\n"u8, .. PngFiles.Chunk("IHDR"u8, [0, 0, 0, 2, 0, 0, 0, 3, 8, 0, 0, 0, 0]), .. PngFiles.Chunk("eXIf"u8, exif),
        .. PngFiles.Chunk("IDAT"u8, PngFiles.Zlib([0, .. "12"u8, 0, .. "34"u8, 0, .. "56"u8])), .. PngFiles.Chunk("IEND"u8, []),
    ];

    // A directory at byte 8 of two entries, the second of them the orientation.
    private static byte[] Exif(byte orientation, bool little) => little
        ? [.. "II"u8, 42, 0, 8, 0, 0, 0, 2, 0, 0x0F, 1, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]
        : [.. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 2, 1, 0x0F, 0, 3, 0, 0, 0, 1, 0, 7, 0, 0, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
}
