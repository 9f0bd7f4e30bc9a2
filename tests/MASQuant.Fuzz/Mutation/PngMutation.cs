using System.Buffers.Binary;
using System.IO.Compression;
using MASQuant.Engine.Vision.Images.Png;

namespace MASQuant.Fuzz.Mutation;

/// <summary>Changes of a PNG file's chunks, mostly behind right lengths and CRCs, and of the pixels behind their compression.</summary>
internal static class PngMutation
{
    private const int SignatureBytes = 8;

    /// <summary>One change of a chunk; of what is no PNG, of a byte.</summary>
    public static byte[] Mutate(byte[] input, byte[] other, Random random)
    {
        var chunks = Chunks(input);
        if (chunks.Count == 0 || random.Next(8) == 0)
        {
            return ByteMutation.Mutate(input, other, random);
        }

        var at = random.Next(chunks.Count);
        var (type, data) = chunks[at];
        switch (random.Next(6))
        {
            case 0:
                chunks.RemoveAt(at);
                break;
            case 1:
                chunks.Insert(random.Next(chunks.Count), chunks[at]);
                break;
            case 2 when Chunks(other) is { Count: > 0 } others:
                chunks[at] = others[random.Next(others.Count)];
                break;
            case 3 when Inflate(data) is { } raw:
                chunks[at] = (type, Deflate(ByteMutation.Mutate(raw, raw, random)));
                break;
            default:
                chunks[at] = (type, ByteMutation.Mutate(data, other, random));
                break;
        }

        return [.. input[..SignatureBytes], .. chunks.SelectMany(Chunk)];
    }

    /// <summary>The file with right CRCs, as far as its chunks go.</summary>
    public static byte[] Repair(byte[] file) => Chunks(file) is { Count: > 0 } chunks ? [.. file[..SignatureBytes], .. chunks.SelectMany(Chunk)] : file;

    private static List<(byte[] Type, byte[] Data)> Chunks(byte[] file)
    {
        var chunks = new List<(byte[], byte[])>();
        for (var at = SignatureBytes; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12)
            {
                break;
            }

            chunks.Add((file[(at + 4)..(at + 8)], file[(at + 8)..(at + 8 + (int)length)]));
            at += 12 + (int)length;
        }

        return chunks;
    }

    private static byte[] Chunk((byte[] Type, byte[] Data) chunk)
    {
        byte[] bytes = [0, 0, 0, 0, .. chunk.Type, .. chunk.Data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(bytes, chunk.Data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(bytes.Length - 4), Crc32.Compute(bytes.AsSpan(4..^4)));
        return bytes;
    }

    private static byte[]? Inflate(byte[] data)
    {
        try
        {
            using var raw = new MemoryStream();
            using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
            zlib.CopyTo(raw);
            return raw.Length is > 0 and <= FuzzTarget.MaxLength ? raw.ToArray() : null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return null;
        }
    }

    private static byte[] Deflate(byte[] raw)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(raw);
        }

        return data.ToArray();
    }
}
