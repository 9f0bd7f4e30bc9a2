using System.Buffers.Binary;
using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Images;

namespace MASQuant.Engine.Tests.Vision;

public class PngDecoderTests
{
    public static TheoryData<string> Files => ImageFixture.Names("png-*.png");

    [Theory]
    [MemberData(nameof(Files))]
    public void Pixels_equal_Pillows_on_white(string name) =>
        ImageFixture.AssertEqual(ImageFixture.ReadPpm(Path.ChangeExtension(name, ".ppm")), ImageFixture.Decode(name));

    [Fact]
    public void A_file_cut_anywhere_is_read_if_its_pixels_are_all_there()
    {
        var file = ImageFixture.Read("png-2-8-interlaced.png");
        var whole = ImageDecoder.Decode(file, null);
        var data = file.Length - 16; // behind the last IDAT's content: its CRC, IEND
        var missing = data - 8; // zlib's checksum, and at least a bit of pixels before
        for (var length = 8; length < file.Length; length++)
        {
            if (length < missing)
            {
                AssertRefused(DiagnosticCodes.ImageCorrupt, file[..length]);
            }
            else if (length >= data - 4)
            {
                ImageFixture.AssertEqual(whole, ImageDecoder.Decode(file.AsSpan(0, length), null));
            }
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused_unless_it_only_seems_to_cut_the_file_behind_its_pixels()
    {
        var file = ImageFixture.Read("png-3-4.png");
        var whole = ImageDecoder.Decode(file, null);
        int[] lengths = [file.Length - 12, file.AsSpan().LastIndexOf("IDAT"u8) - 4];
        for (var i = 8; i < file.Length; i++)
        {
            var damaged = file.ToArray();
            damaged[i] ^= 4;
            if (damaged[i] > file[i] && lengths.Any(length => i >= length && i < length + 3)) // by a thousand bytes and more
            {
                ImageFixture.AssertEqual(whole, ImageDecoder.Decode(damaged, null));
            }
            else if (i != file.Length - 9) // IEND's
            {
                AssertRefused(DiagnosticCodes.ImageCorrupt, damaged);
            }
        }
    }

    // Two pixels of each: one of the transparent colour, one that differs from it in a low bit; bits of tRNS beyond the depth do not count.
    [Theory]
    [InlineData(0, 2, "FF02", "0090", new byte[] { 255, 85 })]
    [InlineData(0, 8, "0007", "000706", new byte[] { 255, 6 })]
    [InlineData(0, 16, "1234", "0012341235", new byte[] { 255, 0x12 })]
    [InlineData(2, 8, "000700080009", "0007080907080A", new byte[] { 255, 255, 255, 7, 8, 10 })]
    [InlineData(2, 16, "070008000900", "00070008000900070008000901", new byte[] { 255, 255, 255, 7, 8, 9 })]
    [InlineData(0, 8, "000700", "000706", new byte[] { 7, 6 })] // of another length: none
    public void One_colour_may_be_transparent(byte color, byte depth, string transparency, string raw, byte[] expected)
    {
        byte[] chunks = [.. PngFiles.Chunk("tRNS"u8, Convert.FromHexString(transparency)), .. PngFiles.Chunk("IDAT"u8, PngFiles.Zlib(Convert.FromHexString(raw)))];
        byte[] file = [0x89, .. "PNG\r\n\x1A\n"u8, .. PngFiles.Chunk("IHDR"u8, Header(2, 1, depth, color, 0)), .. chunks, .. PngFiles.Chunk("IEND"u8, [])];
        var pixels = ImageDecoder.Decode(file, null).Pixels;
        Assert.Equal(expected.Length == 6 ? expected : [expected[0], expected[0], expected[0], expected[1], expected[1], expected[1]], pixels);
    }

    [Fact]
    public void A_pixel_outside_the_palette_is_refused()
    {
        var header = Header(1, 1, 8, 3, 0);
        Assert.Equal([1, 2, 3], ImageDecoder.Decode(Png(header, [1, 2, 3], [0, 0]), null).Pixels);
        AssertRefused(DiagnosticCodes.ImageCorrupt, Png(header, [1, 2, 3], [0, 1]));
        AssertRefused(DiagnosticCodes.ImageCorrupt, Png(header, [], [0, 0]));
    }

    [Theory]
    [InlineData(0, 0, DiagnosticCodes.ImageCorrupt)]
    [InlineData(3000, 2000, DiagnosticCodes.ImageCorrupt)]
    [InlineData(int.MaxValue, 1, DiagnosticCodes.ImageTooLarge)]
    [InlineData(-1, -1, DiagnosticCodes.ImageTooLarge)]
    [InlineData(20000, 20000, DiagnosticCodes.ImageTooLarge)]
    public void Extents_beyond_the_file_or_the_limit_are_refused_before_allocation(int width, int height, string code)
    {
        var file = Png(Header(width, height, 8, 2, 0), [], new byte[1000]);
        ImageFixture.AssertAllocatesLittle(() => AssertRefused(code, file));
    }

    [Fact]
    public void Any_pixel_data_gives_pixels_or_a_diagnostic()
    {
        var random = new Random(1);
        var (decoded, refused) = (0, 0);
        for (var i = 0; i < 1000; i++)
        {
            // Raw bytes below 5 are all known filters, so that decoding goes on until the data ends.
            var raw = new byte[random.Next(2000)];
            for (var j = 0; j < raw.Length; j++)
            {
                raw[j] = (byte)random.Next(random.Next(50) == 0 ? 6 : 5);
            }

            var header = Header(random.Next(1, 20), random.Next(1, 20), 1 << random.Next(5), random.Next(7), random.Next(2));
            try
            {
                Assert.NotEmpty(ImageDecoder.Decode(Png(header, new byte[15], raw), null).Pixels);
                decoded++;
            }
            catch (MASQuantException error)
            {
                Assert.Equal(DiagnosticCodes.ImageCorrupt, error.Code);
                refused++;
            }
        }

        Assert.True(decoded > 20 && refused > 20, $"{decoded} decoded, {refused} refused");
    }

    [Fact]
    public void Other_files_are_refused_by_name()
    {
        AssertRefused(DiagnosticCodes.ImageNotSupported, []);
        AssertRefused(DiagnosticCodes.ImageNotSupported, [.. "GIF89a"u8]);
    }

    private static byte[] Header(int width, int height, int depth, int color, int interlace)
    {
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, (byte)depth, (byte)color, 0, 0, (byte)interlace];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        return header;
    }

    private static byte[] Png(byte[] header, byte[] palette, byte[] raw)
    {
        byte[] colors = palette.Length == 0 ? [] : PngFiles.Chunk("PLTE"u8, palette);
        return [0x89, .. "PNG\r\n\x1A\n"u8, .. PngFiles.Chunk("IHDR"u8, header), .. colors, .. PngFiles.Chunk("IDAT"u8, PngFiles.Zlib(raw)), .. PngFiles.Chunk("IEND"u8, [])];
    }

    private static void AssertRefused(string code, byte[] file)
    {
        var error = Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, "test.png"));
        Assert.Equal((code, "test.png"), (error.Code, error.File));
    }
}
