using MASQuant.Engine.Vision.Images.Jpeg;
using MASQuant.Engine.Vision.Images.Png;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images;

/// <summary>
/// Decodes image files to what viewers show: upright, as EXIF's orientation says, and on a white ground where they are transparent; colour profiles are ignored.
/// All else is what Pillow's <c>Image.open(file).convert("RGB")</c> gives. A file that ends early is read if its pixels are all there, and otherwise refused.
/// </summary>
public static class ImageDecoder
{
    /// <summary>The pixels across and down of a PNG or JPEG file, upright, by its headers.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <param name="limits">What is too large; null: the defaults.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302 or MASQ0303.</exception>
    public static (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file, string? path, ModelLimits? limits = null)
    {
        limits ??= new ModelLimits();
        try
        {
            return PngDecoder.IsPng(file) ? PngDecoder.ReadExtents(file, limits, path) : JpegDecoder.IsJpeg(file) ? JpegDecoder.ReadExtents(file, limits, path) : throw Unknown(path);
        }
        catch (Exception error) when (IsForeign(error))
        {
            throw ImageErrors.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>Decodes a PNG or JPEG file, told apart by their first bytes.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <param name="limits">What is too large; null: the defaults.</param>
    /// <param name="cancellationToken">Obeyed row by row.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302, MASQ0303 or MASQ0320.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string? path, ModelLimits? limits = null, CancellationToken cancellationToken = default)
    {
        limits ??= new ModelLimits();
        try
        {
            return PngDecoder.IsPng(file) ? PngDecoder.Decode(file, limits, path, cancellationToken) : JpegDecoder.IsJpeg(file) ? JpegDecoder.Decode(file, limits, path, cancellationToken) : throw Unknown(path);
        }
        catch (Exception error) when (IsForeign(error))
        {
            throw ImageErrors.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    // Whatever a file makes a decoder or a library under it throw is the file's fault; that memory is short, or somebody has had enough, is not.
    private static bool IsForeign(Exception error) => error is not (MASQuantException or OutOfMemoryException or OperationCanceledException);

    private static MASQuantException Unknown(string? path) => ImageErrors.NotSupported(path, "the file is neither a PNG nor a JPEG");
}
