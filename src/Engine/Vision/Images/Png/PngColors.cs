namespace MASQuant.Engine.Vision.Images.Png;

/// <summary>Turns PNG samples into 8-bit RGB as Pillow does: alpha and tRNS are dropped, 16-bit colour keeps its high byte, 16-bit gray is clipped at 255 (Pillow's I;16 → RGB).</summary>
internal static class PngColors
{
    /// <summary>Writes the pixels of a restored row into their places of an image row; false when a pixel lies outside the palette.</summary>
    public static bool Expand(PngHeader header, ReadOnlySpan<byte> row, ReadOnlySpan<byte> palette, PngPass pass, Span<byte> target)
    {
        for (var x = 0; x < pass.Width; x++)
        {
            var pixel = target.Slice((pass.Left + (x * pass.StepX)) * 3, 3);
            switch (header.ColorType)
            {
                case PngColorType.Palette:
                    var index = Sample(row, x, header.BitDepth) * 3;
                    if (index >= palette.Length)
                    {
                        return false;
                    }

                    palette.Slice(index, 3).CopyTo(pixel);
                    break;
                case PngColorType.Gray or PngColorType.GrayAlpha:
                    pixel.Fill(Gray(header, row, x));
                    break;
                default:
                    var sampleBytes = header.BitDepth / 8;
                    var start = x * header.Channels * sampleBytes;
                    pixel[0] = row[start];
                    pixel[1] = row[start + sampleBytes];
                    pixel[2] = row[start + (2 * sampleBytes)];
                    break;
            }
        }

        return true;
    }

    private static byte Gray(PngHeader header, ReadOnlySpan<byte> row, int x) => (header.ColorType, header.BitDepth) switch
    {
        (PngColorType.Gray, 16) => row[x * 2] == 0 ? row[(x * 2) + 1] : byte.MaxValue,
        (PngColorType.GrayAlpha, _) => row[x * 2 * (header.BitDepth / 8)],
        (_, 8) => row[x],
        var (_, depth) => (byte)(Sample(row, x, depth) * (255 / ((1 << depth) - 1))),
    };

    // Samples of fewer than 8 bits are packed from the high bits down.
    private static int Sample(ReadOnlySpan<byte> row, int x, int depth)
    {
        var bit = (long)x * depth;
        return (row[(int)(bit >> 3)] >> (8 - depth - (int)(bit & 7))) & ((1 << depth) - 1);
    }
}
