using MASQuant.Engine.Vision.Images.Jpeg;
using MASQuant.Engine.Vision.Images.Png;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images;

/// <summary>
/// Decodes image files to what Pillow's <c>Image.open(file).convert("RGB")</c> gives: alpha is dropped, not composited; colour profiles and
/// EXIF orientation are ignored.
/// </summary>
public static class ImageDecoder
{
    /// <summary>Decodes a PNG or JPEG file, told apart by their first bytes.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302 or MASQ0303.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string? path)
    {
        if (PngDecoder.IsPng(file))
        {
            return PngDecoder.Decode(file, path);
        }

        if (JpegDecoder.IsJpeg(file))
        {
            return JpegDecoder.Decode(file, path);
        }

        throw ImageErrors.NotSupported(path, "the file is neither a PNG nor a JPEG");
    }
}
