using System.Buffers.Binary;
using SkiaSharp;

namespace MASQuant.Skia;

/// <summary>Reads WebP, GIF and BMP by SkiaSharp, of animations the first picture: <c>new ModelOptions { ImageDecoders = [new SkiaImageDecoder()] }</c>.</summary>
/// <remarks>Native code. Other formats that Skia knows are not asked of it, and a file that it reads only in part is refused.</remarks>
public sealed class SkiaImageDecoder : IImageDecoder
{
    private const int Opaque = 255;
    private const int SourceBytes = 4;
    private const int PixelBytes = 3;

    /// <inheritdoc/>
    public bool Recognizes(ReadOnlySpan<byte> file) => FormatOf(file) is not null;

    /// <inheritdoc/>
    public unsafe (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file)
    {
        fixed (byte* bytes = file)
        {
            using var codec = Open(bytes, file);
            return Swaps(codec.EncodedOrigin) ? (codec.Info.Height, codec.Info.Width) : (codec.Info.Width, codec.Info.Height);
        }
    }

    /// <inheritdoc/>
    public unsafe RgbImage Decode(ReadOnlySpan<byte> file)
    {
        fixed (byte* bytes = file)
        {
            using var codec = Open(bytes, file);

            // Without a colour space nothing is converted: colour profiles are ignored, as PNG's and JPEG's are.
            var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
            var pixels = new byte[checked(info.Width * info.Height * SourceBytes)];
            fixed (byte* target = pixels)
            {
                if (codec.GetPixels(info, (nint)target) is not SKCodecResult.Success and var result)
                {
                    throw new InvalidDataException($"its pixels are damaged or end early ({result})");
                }
            }

            return OnWhite(pixels, info.Width, info.Height, codec.EncodedOrigin);
        }
    }

    // Held by the caller while the codec lives.
    private static unsafe SKCodec Open(byte* bytes, ReadOnlySpan<byte> file)
    {
        // The orientation stands behind the pixels, and Skia does not miss it.
        if (FormatOf(file) == SKEncodedImageFormat.Webp && BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) > file.Length - 8)
        {
            throw new InvalidDataException("it ends early");
        }

        BmpMasks.Require(file);

        using var data = SKData.Create((nint)bytes, file.Length);
        var codec = SKCodec.Create(data) ?? throw new InvalidDataException("its header is damaged");
        if (codec.EncodedFormat == FormatOf(file))
        {
            return codec;
        }

        codec.Dispose();
        throw new InvalidDataException("its header is that of another format");
    }

    private static SKEncodedImageFormat? FormatOf(ReadOnlySpan<byte> file) => file switch
    {
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => SKEncodedImageFormat.Webp,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => SKEncodedImageFormat.Gif,
        [(byte)'B', (byte)'M', ..] => SKEncodedImageFormat.Bmp,
        _ => null,
    };

    // EXIF's orientations, whose numbers the origins have: 5 to 8 store columns as rows.
    private static bool Swaps(SKEncodedOrigin origin) => origin is >= SKEncodedOrigin.LeftTop and <= SKEncodedOrigin.LeftBottom;

    private static RgbImage OnWhite(byte[] stored, int storedWidth, int storedHeight, SKEncodedOrigin origin)
    {
        var swaps = Swaps(origin);
        var mirrorsRows = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        var mirrorsColumns = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        var (width, height) = swaps ? (storedHeight, storedWidth) : (storedWidth, storedHeight);
        var pixels = new byte[checked(width * height * PixelBytes)];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (column, row) = swaps ? (y, x) : (x, y);
                column = mirrorsColumns ? storedWidth - 1 - column : column;
                row = mirrorsRows ? storedHeight - 1 - row : row;
                var source = stored.AsSpan(((row * storedWidth) + column) * SourceBytes, SourceBytes);
                var target = pixels.AsSpan(((y * width) + x) * PixelBytes, PixelBytes);
                for (var channel = 0; channel < PixelBytes; channel++)
                {
                    // As of PNG.
                    target[channel] = (byte)(((source[channel] * source[3]) + (Opaque * (Opaque - source[3])) + (Opaque / 2)) / Opaque);
                }
            }
        }

        return new RgbImage(width, height, pixels);
    }
}
