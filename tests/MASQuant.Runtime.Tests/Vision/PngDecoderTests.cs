using System.Buffers.Binary;
using MASQuant.Diagnostics;
using MASQuant.Vision;

namespace MASQuant.Runtime.Tests.Vision;

public class PngDecoderTests
{
    // The offsets of a PNG's first chunk: signature 8, length 4, type 4, then width, height, depth, colour, …, CRC.
    private const int Header = 16;
    private const int HeaderCrc = Header + 13;

    public static TheoryData<string> Files => ImageFixture.Names("png-*.png");

    [Theory]
    [MemberData(nameof(Files))]
    public void Pixels_equal_Pillows(string name) =>
        ImageFixture.AssertEqual(ImageFixture.ReadPpm(Path.ChangeExtension(name, ".ppm")), ImageFixture.Decode(name));

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        var file = ImageFixture.Read("png-2-8-interlaced.png");
        for (var length = 8; length < file.Length; length++)
        {
            AssertRefused(DiagnosticCodes.ImageCorrupt, file[..length]);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        var file = ImageFixture.Read("png-3-4.png");
        for (var i = 8; i < file.Length; i++)
        {
            var damaged = file.ToArray();
            damaged[i] ^= 4;
            AssertRefused(DiagnosticCodes.ImageCorrupt, damaged);
        }
    }

    [Fact]
    public void A_pixel_outside_the_palette_is_refused()
    {
        var file = ImageFixture.Read("png-3-8.png");
        var palette = file.AsSpan().IndexOf("PLTE"u8);

        // Cut the palette down to its first colour.
        byte[] shorter = [.. file[..palette], .. "PLTE"u8, .. file[(palette + 4)..(palette + 7)]];
        BinaryPrimitives.WriteInt32BigEndian(shorter.AsSpan(palette - 4), 3);
        byte[] crc = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc32.Compute(shorter.AsSpan(palette)));
        AssertRefused(DiagnosticCodes.ImageCorrupt, [.. shorter, .. crc, .. file[(palette + 4 + 30 + 4)..]]);
    }

    [Theory]
    [InlineData(0, 0, DiagnosticCodes.ImageCorrupt)]
    [InlineData(3000, 2000, DiagnosticCodes.ImageCorrupt)]
    [InlineData(int.MaxValue, 1, DiagnosticCodes.ImageTooLarge)]
    [InlineData(-1, -1, DiagnosticCodes.ImageTooLarge)]
    [InlineData(20000, 20000, DiagnosticCodes.ImageTooLarge)]
    public void Extents_beyond_the_file_or_the_limit_are_refused_before_allocation(int width, int height, string code)
    {
        var file = ImageFixture.Read("png-2-8.png");
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(Header), width);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(Header + 4), height);
        AssertRefused(code, WithHeaderCrc(file));
    }

    [Fact]
    public void Any_pixel_data_gives_pixels_or_a_diagnostic()
    {
        var good = ImageFixture.Read("png-6-8-interlaced.png");
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            // Headers at random under a right CRC, so that what lies behind the check is reached.
            var file = good.ToArray();
            file[Header + 3] = (byte)random.Next(20);
            file[Header + 7] = (byte)random.Next(20);
            file[Header + 8] = (byte)(1 << random.Next(5));
            file[Header + 9] = (byte)random.Next(7);
            file[Header + 12] = (byte)random.Next(2);
            try
            {
                Assert.NotEmpty(ImageDecoder.Decode(WithHeaderCrc(file), null).Pixels);
            }
            catch (MasQuantException error)
            {
                Assert.Equal(DiagnosticCodes.ImageCorrupt, error.Code);
            }
        }
    }

    [Fact]
    public void Other_files_are_refused_by_name()
    {
        AssertRefused(DiagnosticCodes.ImageNotSupported, []);
        AssertRefused(DiagnosticCodes.ImageNotSupported, [.. "GIF89a"u8]);
    }

    private static byte[] WithHeaderCrc(byte[] file)
    {
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(HeaderCrc), Crc32.Compute(file.AsSpan(Header - 4, 17)));
        return file;
    }

    private static void AssertRefused(string code, byte[] file)
    {
        var error = Assert.Throws<MasQuantException>(() => ImageDecoder.Decode(file, "test.png"));
        Assert.Equal((code, "test.png"), (error.Code, error.File));
    }
}
