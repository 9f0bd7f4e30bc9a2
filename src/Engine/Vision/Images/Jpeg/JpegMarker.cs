namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>The second byte of JPEG's markers (ITU-T T.81, table B.1), as far as the decoder tells them apart.</summary>
internal static class JpegMarker
{
    public const byte BaselineFrame = 0xC0;
    public const byte ExtendedFrame = 0xC1;
    public const byte ProgressiveFrame = 0xC2;
    public const byte HuffmanTables = 0xC4;
    public const byte LastFrame = 0xCF;
    public const byte FirstRestart = 0xD0;
    public const byte LastRestart = 0xD7;
    public const byte StartOfImage = 0xD8;
    public const byte EndOfImage = 0xD9;
    public const byte StartOfScan = 0xDA;
    public const byte QuantizationTables = 0xDB;
    public const byte RestartInterval = 0xDD;
    public const byte Jfif = 0xE0;
    public const byte Exif = 0xE1;
    public const byte Adobe = 0xEE;
    public const byte Temporary = 0x01;

    /// <summary>Whether a marker stands alone, without a length and content.</summary>
    public static bool IsAlone(byte marker) => marker is Temporary or (>= FirstRestart and <= StartOfImage);
}
