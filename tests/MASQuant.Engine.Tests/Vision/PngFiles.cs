using System.Buffers.Binary;
using System.IO.Compression;
using MASQuant.Engine.Vision.Images.Png;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>PNG files made for a test.</summary>
internal static class PngFiles
{
    /// <summary>A black image of 8 bits a pixel; small as a file.</summary>
    public static byte[] Gray(int width, int height)
    {
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        return Of(header, Zlib(new byte[(width + 1) * height]));
    }

    /// <summary>Compressed rows with their filter bytes.</summary>
    public static byte[] Zlib(byte[] raw)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionMode.Compress, leaveOpen: true))
        {
            zlib.Write(raw);
        }

        return data.ToArray();
    }

    /// <summary>A file of one IDAT chunk.</summary>
    public static byte[] Of(byte[] header, byte[] data)
        => [0x89, .. "PNG\r\n\x1A\n"u8, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, data), .. Chunk("IEND"u8, [])];

    /// <summary>A chunk with its length and CRC.</summary>
    public static byte[] Chunk(ReadOnlySpan<byte> type, byte[] content)
    {
        byte[] chunk = [0, 0, 0, 0, .. type, .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.Compute(chunk.AsSpan(4..^4)));
        return chunk;
    }
}
