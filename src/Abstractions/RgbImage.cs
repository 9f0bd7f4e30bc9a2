namespace MASQuant;

/// <summary>An image of 8-bit red, green and blue values, as sRGB: <c>[height, width, 3]</c>, row-major, without padding; what any decoder gives (<see cref="Prompt.Image(RgbImage)"/>).</summary>
public sealed class RgbImage
{
    /// <summary>Wraps <paramref name="pixels"/> without copying.</summary>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <param name="pixels">Exactly height × width × 3 values: the rows from the top, of each the pixels from the left, of each red, green, blue.</param>
    /// <exception cref="ArgumentOutOfRangeException">An extent is below 1, or <paramref name="pixels"/> are not so many.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfNotEqual((ulong)pixels.LongLength, (ulong)width * (ulong)height * 3, nameof(pixels)); // Below 2⁶⁴ for any extents.
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
    internal Span<byte> Row(int y) => Pixels.AsSpan(y * Width * 3, Width * 3);
}
