using System.Buffers.Binary;

namespace MASQuant.Engine.Vision.Images.Png;

/// <summary>Turns PNG samples into 8-bit RGB on a white ground; of 16 bits the high 8 count.</summary>
/// <param name="content">Header, palette and transparency.</param>
internal sealed class PngColors(PngContent content)
{
    private const int Opaque = 255;

    private readonly PngHeader _header = content.Header;
    private readonly byte[] _palette = content.Palette;
    private readonly byte[] _transparency = content.Transparency;
    private readonly int _sampleBytes = Math.Max(1, content.Header.BitDepth / 8);

    // The gray that is transparent.
    private readonly int _transparentGray = content is { Header.ColorType: PngColorType.Gray, Transparency.Length: 2 }
        ? BinaryPrimitives.ReadUInt16BigEndian(content.Transparency) & ((1 << content.Header.BitDepth) - 1) : -1;

    /// <summary>Writes the pixels of a restored row into their places of an image row; false when a pixel lies outside the palette.</summary>
    public bool Expand(ReadOnlySpan<byte> row, PngPass pass, Span<byte> target)
    {
        for (var x = 0; x < pass.Width; x++)
        {
            var pixel = target.Slice((pass.Left + (x * pass.StepX)) * 3, 3);
            var samples = row[(_header.BitDepth < 8 ? 0 : x * _header.Channels * _sampleBytes)..];
            switch (_header.ColorType)
            {
                case PngColorType.Palette:
                    var index = Sample(row, x);
                    if ((index * 3) + 3 > _palette.Length)
                    {
                        return false;
                    }

                    Put(pixel, _palette[index * 3], _palette[(index * 3) + 1], _palette[(index * 3) + 2], index < _transparency.Length ? _transparency[index] : Opaque);
                    break;
                case PngColorType.Gray:
                    var gray = Sample(row, x);
                    var value = _header.BitDepth > 8 ? gray >> 8 : gray * (255 / ((1 << _header.BitDepth) - 1));
                    Put(pixel, value, value, value, gray == _transparentGray ? 0 : Opaque);
                    break;
                case PngColorType.GrayAlpha:
                    Put(pixel, samples[0], samples[0], samples[0], samples[_sampleBytes]);
                    break;
                case PngColorType.Rgb:
                    Put(pixel, samples[0], samples[_sampleBytes], samples[2 * _sampleBytes], IsTransparent(samples) ? 0 : Opaque);
                    break;
                default:
                    Put(pixel, samples[0], samples[_sampleBytes], samples[2 * _sampleBytes], samples[3 * _sampleBytes]);
                    break;
            }
        }

        return true;
    }

    private static void Put(Span<byte> pixel, int red, int green, int blue, int alpha)
        => (pixel[0], pixel[1], pixel[2]) = (OnWhite(red, alpha), OnWhite(green, alpha), OnWhite(blue, alpha));

    private static byte OnWhite(int value, int alpha) => (byte)(((value * alpha) + (255 * (Opaque - alpha)) + (Opaque / 2)) / Opaque);

    // The one transparent colour, in 16 bits a sample whatever the image has.
    private bool IsTransparent(ReadOnlySpan<byte> samples)
    {
        if (_transparency.Length != 6)
        {
            return false;
        }

        for (var i = 0; i < 3; i++)
        {
            var sample = _sampleBytes == 1 ? samples[i] : BinaryPrimitives.ReadUInt16BigEndian(samples[(2 * i)..]);
            if (sample != (BinaryPrimitives.ReadUInt16BigEndian(_transparency.AsSpan(2 * i)) & ((1 << _header.BitDepth) - 1)))
            {
                return false;
            }
        }

        return true;
    }

    // Samples of fewer than 8 bits are packed from the high bits down.
    private int Sample(ReadOnlySpan<byte> row, int x)
    {
        if (_header.BitDepth == 16)
        {
            return BinaryPrimitives.ReadUInt16BigEndian(row[(2 * x)..]);
        }

        var bit = (long)x * _header.BitDepth;
        return (row[(int)(bit >> 3)] >> (8 - _header.BitDepth - (int)(bit & 7))) & ((1 << _header.BitDepth) - 1);
    }
}
