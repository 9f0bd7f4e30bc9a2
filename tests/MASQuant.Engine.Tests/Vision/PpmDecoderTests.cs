using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Images;

namespace MASQuant.Engine.Tests.Vision;

public class PpmDecoderTests
{
    public static TheoryData<string> Files => ImageFixture.Names("*.ppm");

    [Theory]
    [MemberData(nameof(Files))]
    public void What_pillow_writes_is_read(string name)
    {
        var expected = ImageFixture.ReadPpm(name);
        Assert.Equal((expected.Width, expected.Height), ImageDecoder.ReadExtents(ImageFixture.Read(name), name));
        ImageFixture.AssertEqual(expected, ImageFixture.Decode(name));
    }

    // netpbm's description: any space parts the numbers, a comment goes to its line's end, one space ends the header, a file may hold further images.
    [Theory]
    [InlineData("P6\n2 1\n255\nabcdef")]
    [InlineData("P6 2\t1\r255 abcdef")]
    [InlineData("P6#by hand\n#2 2\n2 #3\n1 255\nabcdef")]
    [InlineData("P6#by hand\r2\v1\f255\nabcdef")]
    [InlineData("P6\n002 1 255\nabcdefP6\n1 1 255\nghi")]
    public void Headers_are_read_as_netpbm_writes_them(string file)
    {
        var image = Decode(file);
        Assert.Equal((2, 1, "abcdef"), (image.Width, image.Height, Encoding.Latin1.GetString(image.Pixels)));
    }

    [Theory]
    [InlineData("P6\n2 1\n255\nabcde", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n2 1\n255", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n2 1", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n# 2 1 255 abcdef", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n2 -1\n255\nabcdef", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n0 1\n255\n", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n4294967298 1\n255\nabcdef", DiagnosticCodes.ImageCorrupt)]
    [InlineData("P6\n999999999 999999999\n255\nabcdef", DiagnosticCodes.ImageTooLarge)]
    [InlineData("P6\n2 1\n65535\nabcdefabcdef", DiagnosticCodes.ImageNotSupported)]
    [InlineData("P62 1\n255\nabcdef", DiagnosticCodes.ImageNotSupported)]
    public void Other_files_are_refused(string file, string code) => ImageFixture.AssertAllocatesLittle(() => Assert.Equal(code, Assert.Throws<MASQuantException>(() => Decode(file)).Code));

    private static RgbImage Decode(string file) => ImageDecoder.Decode(Encoding.Latin1.GetBytes(file), "test.ppm");
}
