using System.Buffers.Binary;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images.Png;

/// <summary>PNG's colour types, by their codes.</summary>
internal enum PngColorType : byte
{
    /// <summary>One sample a pixel.</summary>
    Gray = 0,

    /// <summary>Three samples a pixel.</summary>
    Rgb = 2,

    /// <summary>An index into the palette.</summary>
    Palette = 3,

    /// <summary>Gray, alpha.</summary>
    GrayAlpha = 4,

    /// <summary>Red, green, blue, alpha.</summary>
    Rgba = 6,
}

/// <summary>The pixels that one pass of interlacing carries: every <paramref name="StepX"/>-th column from <paramref name="Left"/>, every <paramref name="StepY"/>-th row from <paramref name="Top"/>.</summary>
internal readonly record struct PngPass(int Left, int Top, int StepX, int StepY, int Width, int Height);

/// <summary>The IHDR chunk.</summary>
internal sealed record PngHeader(int Width, int Height, int BitDepth, PngColorType ColorType, bool Interlaced)
{
    // W3C PNG, 8.1: the passes' origins and steps.
    private static readonly (int Left, int Top, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>Samples a pixel.</summary>
    public int Channels => ColorType switch
    {
        PngColorType.Rgb => 3,
        PngColorType.GrayAlpha => 2,
        PngColorType.Rgba => 4,
        _ => 1,
    };

    /// <summary>The distance in bytes at which filters predict.</summary>
    public int FilterBytes => Math.Max(1, Channels * BitDepth / 8);

    /// <summary>The passes, in the file's order.</summary>
    public IEnumerable<PngPass> Passes => Interlaced
        ? Adam7.Select(p => new PngPass(p.Left, p.Top, p.StepX, p.StepY, Count(Width, p.Left, p.StepX), Count(Height, p.Top, p.StepY)))
        : [new PngPass(0, 0, 1, 1, Width, Height)];

    /// <summary>Bytes of all rows with their filter bytes.</summary>
    public long RawBytes => Passes.Where(p => p.Width > 0).Sum(p => (long)p.Height * (1 + RowBytes(p.Width)));

    /// <summary>Bytes of a row of <paramref name="width"/> pixels, without the filter byte.</summary>
    public int RowBytes(int width) => checked((int)((((long)width * Channels * BitDepth) + 7) / 8));

    /// <summary>Reads and checks the chunk's 13 bytes.</summary>
    public static PngHeader Parse(ReadOnlySpan<byte> data, ModelLimits limits, string? path)
    {
        if (data.Length != 13)
        {
            throw ImageErrors.Corrupt(path, "its IHDR chunk is not 13 bytes long");
        }

        ImageErrors.CheckExtents(BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]), limits.ImagePixels, path);
        var (depth, color, interlace) = (data[8], (PngColorType)data[9], data[12]);
        var known = color switch
        {
            PngColorType.Gray => depth is 1 or 2 or 4 or 8 or 16,
            PngColorType.Palette => depth is 1 or 2 or 4 or 8,
            PngColorType.Rgb or PngColorType.GrayAlpha or PngColorType.Rgba => depth is 8 or 16,
            _ => false,
        };
        if (!known || data[10] != 0 || data[11] != 0 || interlace > 1)
        {
            throw ImageErrors.Corrupt(path, $"PNG has no colour type {data[9]} with {depth} bits, compression {data[10]}, filter {data[11]}, interlace {interlace}");
        }

        return new PngHeader((int)BinaryPrimitives.ReadUInt32BigEndian(data), (int)BinaryPrimitives.ReadUInt32BigEndian(data[4..]), depth, color, interlace == 1);
    }

    private static int Count(int extent, int origin, int step) => extent <= origin ? 0 : ((extent - origin - 1) / step) + 1;
}
