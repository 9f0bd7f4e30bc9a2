using MASQuant.Diagnostics;

namespace MASQuant.Engine.Vision.Pixels;

/// <summary>An image of 8-bit red, green and blue values: <c>[height, width, 3]</c>, row-major, without padding.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps <paramref name="pixels"/> without copying; it holds exactly height × width × 3 values.</summary>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.LongLength, (long)width * height * 3, nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Pixels per row.</summary>
    public int Width { get; }

    /// <summary>The number of rows.</summary>
    public int Height { get; }

    /// <summary>The values, row after row, three a pixel.</summary>
    public byte[] Pixels { get; }

    /// <summary>The values of row <paramref name="y"/>, width × 3.</summary>
    public Span<byte> Row(int y) => Pixels.AsSpan(y * Width * 3, Width * 3);

    /// <summary>Refuses extents from a file's header before anything is allocated for them.</summary>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="most">How many pixels are allowed.</param>
    /// <param name="file">The name in messages.</param>
    /// <exception cref="MASQuantException">No pixels (MASQ0302), or more than <paramref name="most"/> (MASQ0303).</exception>
    internal static void CheckExtents(long width, long height, int most, string? file)
    {
        if (width < 1 || height < 1)
        {
            throw ImageErrors.Corrupt(file, "its header gives it no pixels");
        }

        if (width > most || height > most || width * height > most)
        {
            throw new MASQuantException(DiagnosticCodes.ImageTooLarge, file, $"The image has {width} × {height} pixels; the limit is {most} (ModelLimits.ImagePixels). Scale it down, or raise the limit.");
        }
    }
}
