using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Images;
using MASQuant.Skia;

namespace MASQuant.Media.Tests;

/// <summary>The pixels of a file are those that Pillow makes of it, to the last bit, as read from PNG by the engine's own decoder.</summary>
public class SkiaImageDecoderTests
{
    private static readonly IImageDecoder[] Decoders = [new SkiaImageDecoder()];

    public static TheoryData<string> Pictures => MediaFiles.Names(".webp", ".gif", ".bmp");

    [Theory]
    [MemberData(nameof(Pictures))]
    public void A_picture_has_the_pixels_that_pillow_sees(string name)
    {
        var (file, expected) = (MediaFiles.Read(name), MediaFiles.Pixels(name));
        Assert.Equal((expected.Width, expected.Height), ImageDecoder.ReadExtents(file, name, null, Decoders));
        Assert.Equal(expected.Pixels, ImageDecoder.Decode(file, name, null, Decoders).Pixels);
    }

    [Theory]
    [MemberData(nameof(Pictures))]
    public void A_picture_that_is_cut_short_is_refused_or_whole(string name)
    {
        var (file, expected) = (MediaFiles.Read(name), MediaFiles.Pixels(name));
        var refused = 0;
        for (var length = 0; length < file.Length; length++)
        {
            try
            {
                Assert.Equal(expected.Pixels, ImageDecoder.Decode(file.AsSpan(0, length), name, null, Decoders).Pixels);
            }
            catch (MASQuantException error)
            {
                Assert.Equal(name, error.File);
                Assert.Contains(error.Code, (string[])[DiagnosticCodes.ImageCorrupt, DiagnosticCodes.ImageNotSupported]);
                refused++;
            }
        }

        Assert.InRange(refused, file.Length / 5, file.Length); // Behind the first of an animation's pictures nothing is looked at.
    }

    [Theory]
    [InlineData("image.ico", new byte[] { 0, 0, 1, 0 })]
    [InlineData("image.avif", new byte[] { 0, 0, 0, 0x1C, (byte)'f', (byte)'t', (byte)'y', (byte)'p', (byte)'a', (byte)'v', (byte)'i', (byte)'f' })]
    [InlineData("nothing", new byte[0])]
    [InlineData("wave", new byte[] { (byte)'R', (byte)'I', (byte)'F', (byte)'F', 0, 0, 0, 0, (byte)'W', (byte)'A', (byte)'V', (byte)'E' })]
    public void Other_formats_are_not_asked_of_skia(string name, byte[] file)
        => Assert.Equal(DiagnosticCodes.ImageNotSupported, Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, name, null, Decoders)).Code);

    // Of a header alone: 65 535 × 65 535, 16 383 × 16 383 and 2³¹ − 1 × 1 pixels.
    [Fact]
    public void Pixels_beyond_the_limit_are_refused_by_the_header()
    {
        var gif = MediaFiles.Read("gif-palette.gif");
        gif.AsSpan(6, 4).Fill(0xFF);
        var bmp = MediaFiles.Read("bmp-24.bmp");
        BitConverter.TryWriteBytes(bmp.AsSpan(18), int.MaxValue);
        BitConverter.TryWriteBytes(bmp.AsSpan(22), 1);
        var webp = MediaFiles.Read("webp-lossless.webp");
        webp.AsSpan(21, 4).Fill(0xFF); // Behind the signature 0x2F: 14 bits less one each, alpha, version.
        webp[24] = 0x0F;
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var (name, file) in (IEnumerable<(string, byte[])>)[("a.gif", gif), ("a.bmp", bmp), ("a.webp", webp)])
        {
            var error = Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, name, null, Decoders));
            Assert.True(error.Code is DiagnosticCodes.ImageTooLarge || (name == "a.bmp" && error.Code == DiagnosticCodes.ImageCorrupt), error.Message); // Skia itself takes no BMP of more than 65 535 pixels across.
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300_000);
    }

    // 5, 6 and 5 bits, as cameras write them, and a red of which a bit is missing.
    [Theory]
    [InlineData(0xF800u, true)]
    [InlineData(0xD800u, false)]
    public void A_colours_bits_follow_each_other(uint red, bool read)
    {
        byte[] file = [.. "BM"u8, 82, 0, 0, 0, 0, 0, 0, 0, 66, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 16, 0, 3, 0, 0, 0, 4, 0, 0, 0, .. new byte[16], .. BitConverter.GetBytes(red), 0xE0, 7, 0, 0, 0x1F, 0, 0, 0, 0, 0xF8, 0xE0, 7];
        if (read)
        {
            Assert.Equal([255, 0, 0, 0, 255, 0], ImageDecoder.Decode(file, null, null, Decoders).Pixels);
        }
        else
        {
            Assert.Contains("follow each other", Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, null, null, Decoders)).Message, StringComparison.Ordinal);
        }
    }

    // Headers of 56 bytes have a mask for it, behind the three.
    [Theory]
    [InlineData(0x8000u, true)]
    [InlineData(0xA000u, false)]
    public void The_bits_of_opacity_follow_each_other_too(uint alpha, bool read)
    {
        byte[] file = [.. "BM"u8, 74, 0, 0, 0, 0, 0, 0, 0, 70, 0, 0, 0, 56, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 16, 0, 3, 0, 0, 0, 4, 0, 0, 0, .. new byte[16], 0, 0x7C, 0, 0, 0xE0, 3, 0, 0, 0x1F, 0, 0, 0, .. BitConverter.GetBytes(alpha), 0, 0xFC, 0xE0, 0x83];
        var error = Record.Exception(() => Assert.Equal([255, 0, 0, 0, 255, 0], ImageDecoder.Decode(file, null, null, Decoders).Pixels));
        Assert.Equal(read ? null : "the bits of a colour do not follow each other", error?.InnerException?.Message ?? error?.Message);
    }
}
