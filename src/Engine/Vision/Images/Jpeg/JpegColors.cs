namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>What a JPEG's components stand for.</summary>
internal enum JpegColorSpace
{
    /// <summary>One component.</summary>
    Gray,

    /// <summary>Three components, as they are.</summary>
    Rgb,

    /// <summary>JFIF's luma and chroma.</summary>
    YCbCr,

    /// <summary>Four inks, inverted as Adobe writes them.</summary>
    Cmyk,

    /// <summary>Inverted inks, the first three as luma and chroma.</summary>
    Ycck,
}

/// <summary>Converts component rows to RGB: libjpeg's fixed-point YCbCr (<c>jdcolor.c</c>), then for inks Pillow's CMYK → RGB.</summary>
internal static class JpegColors
{
    private const int ScaleBits = 16;
    private const int Half = 1 << (ScaleBits - 1);

    // 1.402, 0.344136 …, 0.714136 … and 1.772 × 2¹⁶.
    private const int CrToRed = 91881;
    private const int CbToGreen = 22554;
    private const int CrToGreen = 46802;
    private const int CbToBlue = 116130;

    /// <summary>Decides as libjpeg does: by the number of components, the JFIF and Adobe markers, and at last the components' names.</summary>
    /// <param name="components">The frame's components.</param>
    /// <param name="jfif">Whether a JFIF marker was seen.</param>
    /// <param name="adobeTransform">The Adobe marker's transform, or null without one.</param>
    public static JpegColorSpace Choose(JpegComponent[] components, bool jfif, int? adobeTransform)
    {
        switch (components.Length)
        {
            case 1:
                return JpegColorSpace.Gray;
            case 3 when jfif:
                return JpegColorSpace.YCbCr;
            case 3:
                var named = components[0].Id == 'R' && components[1].Id == 'G' && components[2].Id == 'B';
                return (adobeTransform ?? (named ? 0 : 1)) == 0 ? JpegColorSpace.Rgb : JpegColorSpace.YCbCr;
            default:
                return (adobeTransform ?? 0) == 0 ? JpegColorSpace.Cmyk : JpegColorSpace.Ycck;
        }
    }

    /// <summary>Converts one pixel's samples, as many as the space has.</summary>
    public static (byte Red, byte Green, byte Blue) Convert(JpegColorSpace space, byte first, byte second, byte third, byte fourth)
    {
        switch (space)
        {
            case JpegColorSpace.Gray:
                return (first, first, first);
            case JpegColorSpace.Rgb:
                return (first, second, third);
            case JpegColorSpace.Cmyk:
                return FromInks(first, second, third, fourth);
        }

        var (cb, cr) = (second - 128, third - 128);
        var red = Clip(first + (((CrToRed * cr) + Half) >> ScaleBits));
        var green = Clip(first + (((-CbToGreen * cb) - (CrToGreen * cr) + Half) >> ScaleBits));
        var blue = Clip(first + (((CbToBlue * cb) + Half) >> ScaleBits));

        // YCCK's luma and chroma code the inverse of the stored inks.
        return space == JpegColorSpace.YCbCr ? (red, green, blue) : FromInks((byte)(255 - red), (byte)(255 - green), (byte)(255 - blue), fourth);
    }

    // The stored values are 255 − ink. Pillow: paper = 255 − k, colour = paper − ink · paper / 255, rounded.
    private static (byte Red, byte Green, byte Blue) FromInks(byte cyan, byte magenta, byte yellow, byte paper) =>
        (Remove(cyan, paper), Remove(magenta, paper), Remove(yellow, paper));

    private static byte Remove(byte stored, int paper)
    {
        var product = ((255 - stored) * paper) + 128;
        return Clip(paper - (((product >> 8) + product) >> 8));
    }

    private static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);
}
