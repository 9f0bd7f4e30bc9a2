using System.Buffers.Binary;
using System.Numerics;

namespace MASQuant.Skia;

/// <summary>The masks that say where in a BMP's pixel its colours are. Of gaps in them Skia complains to standard error, file by file, which a server's log is no place for.</summary>
internal static class BmpMasks
{
    private const int HeaderSizeOffset = 14;
    private const int CompressionOffset = 30;
    private const int MasksOffset = 54;
    private const int OldHeaderBytes = 12;
    private const int AlphaHeaderBytes = 56;
    private const int BitFields = 3;

    /// <summary>Refuses a BMP of which a mask's bits do not follow each other.</summary>
    public static void Require(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith("BM"u8) || file.Length < MasksOffset || UInt32(file, HeaderSizeOffset) <= OldHeaderBytes || UInt32(file, CompressionOffset) != BitFields)
        {
            return;
        }

        var masks = UInt32(file, HeaderSizeOffset) >= AlphaHeaderBytes ? 4 : 3;
        for (var i = 0; i < masks && MasksOffset + ((i + 1) * sizeof(uint)) <= file.Length; i++)
        {
            var mask = UInt32(file, MasksOffset + (i * sizeof(uint)));
            if (mask != 0 && (((mask >> BitOperations.TrailingZeroCount(mask)) + 1) & (mask >> BitOperations.TrailingZeroCount(mask))) != 0)
            {
                throw new InvalidDataException("the bits of a colour do not follow each other");
            }
        }
    }

    private static uint UInt32(ReadOnlySpan<byte> file, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(file[offset..]);
}
