namespace MASQuant.Engine.Tests.Vision;

/// <summary>Progressive JPEG files of one component, gray all over, whose scans take hardly any bytes.</summary>
internal static class JpegFiles
{
    private static readonly byte[] Steps = [.. Enumerable.Repeat((byte)1, 64)];

    /// <summary>One scan of DC, a bit a block, and <paramref name="scans"/> of a coefficient each, 15 bits for 32 767 blocks.</summary>
    public static byte[] Progressive(int width, int height, int scans)
    {
        var blocks = ((width + 7) / 8) * ((height + 7) / 8);
        byte[] frame = [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 1, 0x11, 0];
        var band = new BitWriter();
        for (var left = blocks; left > 0; left -= 32767)
        {
            band.Write(0, 1); // the one symbol, 0xE0: a run of 2^14 + 14 bits of blocks without coefficients
            band.Write(Math.Min(left, 32767) is > 16384 and var run ? run - 16384 : 0, 14);
        }

        var coefficients = Enumerable.Range(1, scans).SelectMany(k => (byte[])[.. Segment(0xDA, [1, 1, 0, (byte)k, (byte)k, 0]), .. band.Bytes]);
        return
        [
            0xFF, 0xD8, .. Segment(0xDB, [0, .. Steps]), .. Segment(0xC2, frame), .. Table(0, 0), .. Table(0x10, 0xE0),
            .. Segment(0xDA, [1, 1, 0, 0, 0, 0]), .. new byte[(blocks + 7) / 8], .. coefficients, 0xFF, 0xD9,
        ];
    }

    private static byte[] Table(byte index, byte symbol) => Segment(0xC4, [index, 1, .. new byte[15], symbol]);

    private static byte[] Segment(byte marker, byte[] content) => [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    /// <summary>Bits, the high ones first, with a zero behind each FF and ones up to a whole byte.</summary>
    private sealed class BitWriter
    {
        private readonly List<byte> _bytes = [];
        private int _pending;
        private int _count;

        public byte[] Bytes => _count == 0 ? [.. _bytes] : [.. _bytes, (byte)((_pending << (8 - _count)) | (0xFF >> _count))];

        public void Write(int value, int bits)
        {
            for (var bit = bits - 1; bit >= 0; bit--)
            {
                _pending = (_pending << 1) | ((value >> bit) & 1);
                if (++_count < 8)
                {
                    continue;
                }

                _bytes.Add((byte)_pending);
                if (_pending == 0xFF)
                {
                    _bytes.Add(0);
                }

                (_pending, _count) = (0, 0);
            }
        }
    }
}
