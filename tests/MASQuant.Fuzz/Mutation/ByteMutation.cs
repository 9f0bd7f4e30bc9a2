using System.Buffers.Binary;

namespace MASQuant.Fuzz.Mutation;

/// <summary>Changes that need to know nothing of a format.</summary>
internal static class ByteMutation
{
    // Where lengths, counts and signs turn over.
    private static readonly long[] Numbers =
        [0, 1, -1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 4096, 32767, 32768, 65535, 65536, 1 << 20, 1 << 24, 1 << 30, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32, 1L << 40, 1L << 62, long.MaxValue, long.MinValue];

    /// <summary>One change at a random place.</summary>
    public static byte[] Mutate(byte[] input, byte[] other, Random random)
    {
        if (input.Length == 0)
        {
            return [.. other.Take(1 + random.Next(64))];
        }

        var at = random.Next(input.Length);
        var count = 1 + random.Next(Math.Min(input.Length - at, random.Next(8) == 0 ? 1024 : 8));
        switch (random.Next(10))
        {
            case 0:
                return input[..at];
            case 1:
                return [.. input[..at], .. input[(at + count)..]];
            case 2:
                return [.. input[..(at + count)], .. input[at..]];
            case 3:
                return [.. input[..at], .. Bytes(random, count), .. input[at..]];
            case 4:
                var from = random.Next(other.Length + 1);
                return [.. input[..at], .. other.Skip(from).Take(count), .. input[(random.Next(2) == 0 ? at : at + count)..]];
            case 5:
                return Overwrite(input, at, Number(random), random);
            case 6:
                return Overwrite(input, at, BitConverter.ToInt64(Bytes(random, 8)), random);
            case 7:
                return Overwrite(input, at, input[at] + random.Next(-4, 5), random, bytes: 1);
            case 8:
                return [.. input[..at], .. Enumerable.Repeat((byte)random.Next(256), count), .. input[(at + count)..]];
            default:
                var flipped = (byte[])input.Clone();
                flipped[at] ^= (byte)(1 << random.Next(8));
                return flipped;
        }
    }

    /// <summary>A number at which something may turn over.</summary>
    public static long Number(Random random) => Numbers[random.Next(Numbers.Length)] + random.Next(-1, 2);

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Overwrite(byte[] input, int at, long number, Random random, int bytes = 0)
    {
        Span<byte> written = stackalloc byte[8];
        var size = bytes > 0 ? bytes : 1 << random.Next(4);
        var little = random.Next(2) == 0;
        BinaryPrimitives.WriteInt64LittleEndian(written, little ? number : BinaryPrimitives.ReverseEndianness(number));
        var copy = (byte[])input.Clone();
        var source = little ? written[..size] : written[^size..];
        source[..Math.Min(size, copy.Length - at)].CopyTo(copy.AsSpan(at));
        return copy;
    }
}
