using MASQuant.Engine.Vision.Images.Jpeg;
using MASQuant.Engine.Vision.Images.Png;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images;

/// <summary>
/// Decodes image files to what viewers show: upright, as EXIF's orientation says, and on a white ground where they are transparent; colour profiles are ignored.
/// All else is what Pillow's <c>Image.open(file).convert("RGB")</c> gives. A file that ends early is read if its pixels are all there, and otherwise refused.
/// PNG, JPEG and PPM, told apart by their first bytes; what is none of them goes to the first of <c>decoders</c> that recognizes it.
/// </summary>
public static class ImageDecoder
{
    /// <summary>The pixels across and down of an image file, upright, by its headers.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <param name="limits">What is too large; null: the defaults.</param>
    /// <param name="decoders">Of further formats.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302 or MASQ0303.</exception>
    public static (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file, string? path, ModelLimits? limits = null, IReadOnlyList<IImageDecoder>? decoders = null)
    {
        limits ??= new ModelLimits();
        try
        {
            return PngDecoder.IsPng(file) ? PngDecoder.ReadExtents(file, limits, path)
                : JpegDecoder.IsJpeg(file) ? JpegDecoder.ReadExtents(file, limits, path)
                : PpmDecoder.IsPpm(file) ? PpmDecoder.ReadExtents(file, limits, path)
                : ReadExtents(Find(file, path, decoders), file, limits, path);
        }
        catch (Exception error) when (MediumError.IsOfTheFile(error))
        {
            throw ImageErrors.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>Decodes an image file.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="path">Its path, for messages; or null.</param>
    /// <param name="limits">What is too large; null: the defaults.</param>
    /// <param name="decoders">Of further formats.</param>
    /// <param name="cancellationToken">Obeyed row by row, but for further formats.</param>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302, MASQ0303 or MASQ0320.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string? path, ModelLimits? limits = null, IReadOnlyList<IImageDecoder>? decoders = null, CancellationToken cancellationToken = default)
    {
        limits ??= new ModelLimits();
        try
        {
            return PngDecoder.IsPng(file) ? PngDecoder.Decode(file, limits, path, cancellationToken)
                : JpegDecoder.IsJpeg(file) ? JpegDecoder.Decode(file, limits, path, cancellationToken)
                : PpmDecoder.IsPpm(file) ? PpmDecoder.Decode(file, limits, path)
                : Decode(Find(file, path, decoders), file, limits, path);
        }
        catch (Exception error) when (MediumError.IsOfTheFile(error, cancellationToken))
        {
            throw ImageErrors.Corrupt(path, error.Message.TrimEnd('.'), error);
        }
    }

    private static (int Width, int Height) ReadExtents(IImageDecoder decoder, ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        var (width, height) = decoder.ReadExtents(file);
        ImageErrors.CheckExtents(width, height, limits.ImagePixels, path);
        return (width, height);
    }

    private static RgbImage Decode(IImageDecoder decoder, ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        var (width, height) = ReadExtents(decoder, file, limits, path);
        limits.RequireBytes((long)width * height * (4 + 3), path); // With transparency, as decoders give pixels, and without.
        var image = decoder.Decode(file);
        return (image.Width, image.Height) == (width, height) ? image : throw ImageErrors.Corrupt(path, $"its header says {width} × {height} pixels, and there are {image.Width} × {image.Height}");
    }

    private static IImageDecoder Find(ReadOnlySpan<byte> file, string? path, IReadOnlyList<IImageDecoder>? decoders)
    {
        foreach (var decoder in decoders ?? [])
        {
            if (decoder.Recognizes(file))
            {
                return decoder;
            }
        }

        throw ImageErrors.NotSupported(path, "the file is neither a PNG nor a JPEG");
    }
}
