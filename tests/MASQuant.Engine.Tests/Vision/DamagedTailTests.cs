using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Images;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>One rule for files that people have: all pixels are there, and the image is read, or some are not, and it is refused by its name.</summary>
public class DamagedTailTests
{
    [Fact]
    public void Ink_on_a_transparent_ground_is_ink_on_white()
        => ImageFixture.AssertEqual(ImageFixture.Decode("reference-on-white.png"), ImageFixture.Decode("black-ink-transparent.png"));

    [Fact]
    public void A_PNG_without_its_end_is_read()
    {
        var file = ImageFixture.Read("no-iend.png");
        ImageFixture.AssertEqual(ImageDecoder.Decode([.. file, .. PngFiles.Chunk("IEND"u8, [])], null), ImageDecoder.Decode(file, null));
        Assert.Equal((61, 45), ImageDecoder.ReadExtents(file, null));
    }

    [Theory]
    [InlineData("palette-short.png", "palette")]
    [InlineData("lost-restart.jpg", "restart marker")]
    public void What_lacks_pixels_is_refused_by_its_name(string name, string reason)
    {
        var error = Assert.Throws<MASQuantException>(() => ImageFixture.Decode(name));
        Assert.Equal((DiagnosticCodes.ImageCorrupt, name), (error.Code, error.File));
        Assert.Contains(reason, error.Description, StringComparison.Ordinal);
    }
}
