using System.IO.Compression;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images.Png;

/// <summary>Decodes PNG files (W3C PNG, third edition) of every colour type, bit depth and interlace method to 8-bit RGB: upright, on a white ground. A file that ends early is read if its pixels are all there.</summary>
public static class PngDecoder
{
    // Deflate codes at best 258 bytes in 2 bits; a header that promises more than the data can hold is refused before the pixels are allocated.
    private const long MaxDeflateRatio = 1032;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Whether <paramref name="file"/> begins with PNG's signature.</summary>
    public static bool IsPng(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    /// <summary>The pixels across and down of a file with PNG's signature.</summary>
    /// <exception cref="MASQuantException">MASQ0302 or MASQ0303.</exception>
    public static (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        using var content = PngContent.Read(file[Signature.Length..], limits, path);
        return content.Orientation.Upright(content.Header.Width, content.Header.Height);
    }

    /// <summary>Decodes <paramref name="file"/>; <paramref name="path"/> is for messages, <paramref name="cancellationToken"/> is obeyed row by row.</summary>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302, MASQ0303 or MASQ0320.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, ModelLimits limits, string? path, CancellationToken cancellationToken = default)
    {
        if (!IsPng(file))
        {
            throw ImageErrors.Corrupt(path, "PNG's signature is missing");
        }

        using var content = PngContent.Read(file[Signature.Length..], limits, path);
        var (header, data) = (content.Header, content.Data);
        if (header.ColorType == PngColorType.Palette && (content.Palette.Length is 0 or > 768 || content.Palette.Length % 3 != 0))
        {
            throw ImageErrors.Corrupt(path, "its PNG palette is missing or of an impossible length");
        }

        if (header.RawBytes > data.Length * MaxDeflateRatio)
        {
            throw ImageErrors.Corrupt(path, $"{data.Length} bytes of PNG data cannot hold {header.Width} × {header.Height} pixels");
        }

        // Pixels as stored and upright, two rows and the compressed data.
        limits.RequireBytes(((long)header.Width * header.Height * 6) + (2L * header.RowBytes(header.Width)) + data.Length, path);
        data.Position = 0;
        return content.Orientation.Upright(DecodePixels(header, new PngColors(content), data, path, cancellationToken));
    }

    private static RgbImage DecodePixels(PngHeader header, PngColors colors, Stream data, string? path, CancellationToken cancellationToken)
    {
        var image = new RgbImage(header.Width, header.Height, LargeArray.Zeros<byte>(checked(header.Width * header.Height * 3)));
        try
        {
            using var inflated = new ZLibStream(data, CompressionMode.Decompress);
            foreach (var pass in header.Passes)
            {
                DecodePass(header, pass, colors, inflated, image, path, cancellationToken);
            }

            // Reaching the stream's end verifies its checksum, if it is there; surplus data is ignored, as libpng and Pillow do.
            _ = inflated.ReadByte();
        }
        catch (EndOfStreamException cause)
        {
            throw ImageErrors.Corrupt(path, "the PNG data ends before the last row", cause);
        }
        catch (InvalidDataException cause)
        {
            throw ImageErrors.Corrupt(path, "the PNG data is not valid zlib data", cause);
        }

        return image;
    }

    private static void DecodePass(PngHeader header, PngPass pass, PngColors colors, Stream inflated, RgbImage image, string? path, CancellationToken cancellationToken)
    {
        if (pass.Width == 0 || pass.Height == 0)
        {
            return;
        }

        var rowBytes = header.RowBytes(pass.Width);
        var previous = new byte[rowBytes];
        var row = new byte[rowBytes];
        Span<byte> filter = stackalloc byte[1];
        for (var y = 0; y < pass.Height; y++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            inflated.ReadExactly(filter);
            inflated.ReadExactly(row);
            if (!PngFilters.Undo(filter[0], row, previous, header.FilterBytes))
            {
                throw ImageErrors.Corrupt(path, $"row {y} has the unknown PNG filter {filter[0]}");
            }

            var target = image.Row(pass.Top + (y * pass.StepY));
            if (!colors.Expand(row, pass, target))
            {
                throw ImageErrors.Corrupt(path, "a pixel lies outside the PNG palette");
            }

            (previous, row) = (row, previous);
        }
    }
}
