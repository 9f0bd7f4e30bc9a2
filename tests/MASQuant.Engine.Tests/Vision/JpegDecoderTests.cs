using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Images;

namespace MASQuant.Engine.Tests.Vision;

public class JpegDecoderTests
{
    public static TheoryData<string> Files => ImageFixture.Names("jpeg-*.jpg");

    [Theory]
    [MemberData(nameof(Files))]
    public void Pixels_equal_libjpegs(string name) =>
        ImageFixture.AssertEqual(ImageFixture.ReadPpm(Path.ChangeExtension(name, ".ppm")), ImageFixture.Decode(name));

    [Theory]
    [InlineData("jpeg-baseline-420.jpg")]
    [InlineData("jpeg-progressive-420.jpg")]
    public void A_file_cut_anywhere_is_read_if_its_pixels_are_all_there(string name)
    {
        var file = ImageFixture.Read(name);
        var whole = ImageDecoder.Decode(file, null);
        for (var length = 3; length < file.Length - 8; length += 7) // the last blocks take more than 6 bytes
        {
            AssertRefused(DiagnosticCodes.ImageCorrupt, file[..length]);
        }

        // Without the end marker, and within whatever follows the last scan.
        ImageFixture.AssertEqual(whole, ImageDecoder.Decode(file.AsSpan()[..^2], null));
        ImageFixture.AssertEqual(whole, ImageDecoder.Decode(file.AsSpan()[..^1], null));
        ImageFixture.AssertEqual(whole, ImageDecoder.Decode([.. file[..^2], 0xFF, 0xFE, 0, 10, 1, 2], null));
    }

    // A progressive file whose last scan is missing has its pixels, but not as they are meant.
    [Theory]
    [InlineData("jpeg-progressive-420.jpg")]
    [InlineData("jpeg-progressive-parts.jpg")]
    public void A_progressive_file_cut_before_its_last_scan_is_refused(string name)
    {
        var file = ImageFixture.Read(name);
        var last = file.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        AssertRefused(DiagnosticCodes.ImageCorrupt, file[..last]);
        AssertRefused(DiagnosticCodes.ImageCorrupt, file[..(last + 5)]);
    }

    [Theory]
    [InlineData(0xC3)]
    [InlineData(0xC9)]
    [InlineData(0xCA)]
    public void Other_codings_are_refused_by_name(byte marker)
    {
        var file = ImageFixture.Read("jpeg-baseline-420.jpg");
        file[Find(file, 0xC0) + 1] = marker;
        AssertRefused(DiagnosticCodes.ImageNotSupported, file);
    }

    [Fact]
    public void Twelve_bits_are_refused_by_name()
    {
        var file = ImageFixture.Read("jpeg-baseline-420.jpg");
        file[Find(file, 0xC0) + 4] = 12;
        AssertRefused(DiagnosticCodes.ImageNotSupported, file);
    }

    [Fact]
    public void Extents_beyond_the_file_or_the_limit_are_refused_before_allocation()
    {
        var file = ImageFixture.Read("jpeg-baseline-420.jpg");
        var extents = Find(file, 0xC0) + 5;
        file[extents] = 0x10;
        file[extents + 2] = 0x10;
        ImageFixture.AssertAllocatesLittle(() => AssertRefused(DiagnosticCodes.ImageCorrupt, file));
        file.AsSpan(extents, 4).Fill(0xFF);
        ImageFixture.AssertAllocatesLittle(() => AssertRefused(DiagnosticCodes.ImageTooLarge, file));
    }

    [Fact]
    public void A_missing_restart_marker_is_refused()
    {
        var file = ImageFixture.Read("jpeg-baseline-restart.jpg");
        file[Find(file, 0xD1) + 1] = 0xD2;
        AssertRefused(DiagnosticCodes.ImageCorrupt, file);
    }

    [Fact]
    public void A_progressive_file_without_its_last_scans_is_refused()
    {
        var file = ImageFixture.Read("jpeg-progressive-gray.jpg");
        var secondScan = Find(file, 0xDA, Find(file, 0xDA) + 2);
        AssertRefused(DiagnosticCodes.ImageCorrupt, [.. file[..secondScan], 0xFF, 0xD9]);
    }

    [Theory]
    [InlineData("jpeg-baseline-420.jpg", 1)]
    [InlineData("jpeg-baseline-restart.jpg", 2)]
    [InlineData("jpeg-progressive-420.jpg", 3)]
    [InlineData("jpeg-ycck.jpg", 4)]
    [InlineData("jpeg-small-2x2.jpg", 5)]
    public void Any_bytes_give_pixels_or_a_diagnostic(string name, int seed)
    {
        var good = ImageFixture.Read(name);
        var random = new Random(seed);
        var (decoded, refused) = (0, 0);
        for (var i = 0; i < 300; i++)
        {
            var file = good.ToArray();
            for (var change = random.Next(1, 5); change > 0; change--)
            {
                // Half of the changes hit the headers.
                file[random.Next(random.Next(2) == 0 ? Math.Min(700, file.Length) : file.Length)] = (byte)random.Next(256);
            }

            try
            {
                Assert.NotEmpty(ImageDecoder.Decode(file, name).Pixels);
                decoded++;
            }
            catch (MASQuantException error)
            {
                Assert.StartsWith("MASQ030", error.Code, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.True(decoded > 20 && refused > 20, $"{decoded} decoded, {refused} refused");
    }

    private static int Find(byte[] file, byte marker, int from = 0) => from + file.AsSpan(from).IndexOf([(byte)0xFF, marker]);

    private static void AssertRefused(string code, byte[] file)
    {
        var error = Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, "test.jpg"));
        Assert.Equal((code, "test.jpg"), (error.Code, error.File));
    }
}
