using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Tests.Vision;

public class ResizeTests
{
    private static readonly PixelLimits Limits = new(3136, 12845056);

    [Theory]
    [InlineData(28, 28)]
    [InlineData(40, 47)]
    [InlineData(112, 84)]
    [InlineData(140, 56)]
    public void Bicubic_equals_Pillows(int width, int height) =>
        ImageFixture.AssertEqual(ImageFixture.ReadPpm($"resize-{width}x{height}.ppm"), BicubicResize.Resize(ImageFixture.Decode("resize.png"), width, height));

    [Fact]
    public void The_same_size_returns_the_image()
    {
        var image = ImageFixture.Decode("resize.png");
        Assert.Same(image, BicubicResize.Resize(image, image.Width, image.Height));
    }

    // Pillow's order, each pass alone being one that is compared with it: rows first, but columns of what is over a hundred times as tall as wide, or grows in width.
    [Theory]
    [InlineData(13, 650, 8, 300, false)]
    [InlineData(5, 500, 3, 100, false)]
    [InlineData(5, 501, 3, 100, true)]
    [InlineData(13, 650, 20, 300, true)]
    [InlineData(13, 65, 20, 80, false)]
    public void Which_way_is_first_is_Pillows(int fromWidth, int fromHeight, int width, int height, bool columnsFirst)
    {
        var bytes = new byte[fromWidth * fromHeight * 3];
        new Random(4).NextBytes(bytes);
        var image = new RgbImage(fromWidth, fromHeight, bytes);
        var rows = BicubicResize.Resize(BicubicResize.Resize(image, width, fromHeight), width, height);
        var columns = BicubicResize.Resize(BicubicResize.Resize(image, fromWidth, height), width, height);
        Assert.NotEqual(Bytes(rows), Bytes(columns));
        Assert.Equal(Bytes(columnsFirst ? columns : rows), Bytes(BicubicResize.Resize(image, width, height)));

        static byte[] Bytes(RgbImage image) => [.. Enumerable.Range(0, image.Height).SelectMany(y => image.Row(y).ToArray())];
    }

    // Worked out by hand from the definition: round half to even, then the limits.
    [Theory]
    [InlineData(301, 147, 308, 140)] // 10.75 → 11, 5.25 → 5
    [InlineData(70, 98, 56, 112)] // 2.5 → 2, 3.5 → 4
    [InlineData(20, 20, 56, 56)] // 0.7 → 1, too few: × 2.8
    [InlineData(10, 2000, 28, 812)] // 0.36 → 0, so too few: × √(3136/20000) = 0.396, then up: 3.96/28 → 1, 792/28 → 29
    [InlineData(8000, 4000, 5068, 2520)] // too many: ÷ √(32000000/12845056) = 1.578, then down: 181.0…, 90.5
    public void The_size_is_the_nearest_multiple_within_the_limits(int width, int height, int expectedWidth, int expectedHeight) =>
        Assert.Equal((expectedWidth, expectedHeight), SmartResize.Choose(width, height, 28, Limits));

    [Fact]
    public void A_ratio_over_two_hundred_is_refused()
    {
        Assert.Equal((812, 28), SmartResize.Choose(2000, 10, 28, Limits));
        Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => SmartResize.Choose(2001, 10, 28, Limits)).Code);
        Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => SmartResize.Choose(10, 2001, 28, Limits)).Code);
    }
}
