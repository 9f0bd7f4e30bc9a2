using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images;

/// <summary>Reads binary PPM files of 8 bits a sample (netpbm's P6, <see href="https://netpbm.sourceforge.net/doc/ppm.html"/>), in which decoded pixels come; of several images in a file the first.</summary>
internal static class PpmDecoder
{
    private const int MaxDigits = 9;

    /// <summary>Whether the file begins as one.</summary>
    public static bool IsPpm(ReadOnlySpan<byte> file) => file.StartsWith("P6"u8) && file.Length > 2 && (IsSpace(file[2]) || file[2] == '#');

    /// <summary>The header's extents.</summary>
    public static (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        var (width, height, _) = ReadHeader(file, limits, path);
        return (width, height);
    }

    /// <summary>The pixels.</summary>
    public static RgbImage Decode(ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        var (width, height, start) = ReadHeader(file, limits, path);
        var bytes = width * height * 3; // ImagePixels keeps this within an array.
        limits.RequireBytes(bytes, path);
        if (bytes > file.Length - start)
        {
            throw ImageErrors.Corrupt(path, $"{width} × {height} pixels take {bytes} bytes and {file.Length - start} follow its header");
        }

        var image = new RgbImage(width, height, LargeArray.Uninitialized<byte>(bytes));
        file.Slice(start, bytes).CopyTo(image.Pixels);
        return image;
    }

    private static (int Width, int Height, int Start) ReadHeader(ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        var at = 2;
        var width = ReadNumber(file, ref at, path);
        var height = ReadNumber(file, ref at, path);
        var most = ReadNumber(file, ref at, path);
        ImageErrors.CheckExtents(width, height, limits.ImagePixels, path);
        if (most != byte.MaxValue)
        {
            throw ImageErrors.NotSupported(path, $"its samples go to {most} and not to 255");
        }

        // One space, whatever it is, parts header and pixels.
        return at < file.Length && IsSpace(file[at]) ? (width, height, at + 1) : throw ImageErrors.Corrupt(path, "its header does not end");
    }

    private static int ReadNumber(ReadOnlySpan<byte> file, ref int at, string? path)
    {
        while (at < file.Length && (IsSpace(file[at]) || file[at] == '#'))
        {
            var comment = file[at] == '#' ? file[at..].IndexOfAny((byte)'\n', (byte)'\r') : 0;
            at = comment < 0 ? file.Length : at + comment + 1;
        }

        var (number, start) = (0, at);
        for (; at < file.Length && char.IsAsciiDigit((char)file[at]); at++)
        {
            number = at - start < MaxDigits ? (number * 10) + file[at] - '0' : throw ImageErrors.Corrupt(path, $"a number of its header has more than {MaxDigits} digits");
        }

        return at > start ? number : throw ImageErrors.Corrupt(path, "a number is missing in its header");
    }

    private static bool IsSpace(byte value) => value is 9 or 10 or 11 or 12 or 13 or 32;
}
