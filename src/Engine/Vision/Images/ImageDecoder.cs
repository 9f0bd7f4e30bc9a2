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
    /// <summary>The pixels across and down that the header of a PNG or JPEG file promises.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302 or MASQ0303.</exception>
    public static (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file, string? path)
    {
        try
        {
            return PngDecoder.IsPng(file) ? PngDecoder.ReadExtents(file, path) : JpegDecoder.IsJpeg(file) ? JpegDecoder.ReadExtents(file, path) : throw Unknown(path);
        }
        catch (Exception error) when (IsForeign(error))
        {
            throw ImageErrors.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>Decodes a PNG or JPEG file, told apart by their first bytes.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302 or MASQ0303.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string? path)
    {
        try
        {
            return PngDecoder.IsPng(file) ? PngDecoder.Decode(file, path) : JpegDecoder.IsJpeg(file) ? JpegDecoder.Decode(file, path) : throw Unknown(path);
        }
        catch (Exception error) when (IsForeign(error))
        {
            throw ImageErrors.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    // Whatever a file makes a decoder or a library under it throw is the file's fault; that memory is short is not.
    private static bool IsForeign(Exception error) => error is not (MASQuantException or OutOfMemoryException);

    private static MASQuantException Unknown(string? path) => ImageErrors.NotSupported(path, "the file is neither a PNG nor a JPEG");
}
