using System.Text;

namespace MASQuant.Peers;

/// <summary>The bytes of an ONNX model of one <c>MatMulNBits</c> (com.microsoft), 4-bit weights of random codes in blocks of 32, activations quantized to 8 bits (accuracy level 4). Field numbers are those of onnx.proto.</summary>
internal static class OnnxModel
{
    private const int Block = 32;
    private const int Float = 1, Bytes = 2;

    /// <summary>Y[M, N] = X[M, K] · Wᵀ.</summary>
    public static byte[] Of(int outputs, int inputs)
    {
        var random = new Random(1);
        var codes = new byte[(long)outputs * inputs / 2];
        random.NextBytes(codes);
        var scales = new byte[(long)outputs * inputs / Block * sizeof(float)];
        for (var at = 0; at < scales.Length; at += sizeof(float))
        {
            BitConverter.TryWriteBytes(scales.AsSpan(at), 0.003f);
        }

        var node = Message(
            Field(1, "X"), Field(1, "W"), Field(1, "S"), Field(2, "Y"), Field(4, "MatMulNBits"), Field(7, "com.microsoft"),
            Attribute("K", inputs), Attribute("N", outputs), Attribute("bits", 4), Attribute("block_size", Block), Attribute("accuracy_level", 4));
        var graph = Message(
            Field(1, node), Field(2, "g"),
            Field(5, Tensor("W", Bytes, codes, outputs, inputs / Block, Block / 2)), Field(5, Tensor("S", Float, scales, outputs, inputs / Block)),
            Field(11, Value("X", inputs)), Field(12, Value("Y", outputs)));
        return Message(Field(1, 10), Field(7, graph), Field(8, Message(Field(1, ""), Field(2, 21))), Field(8, Message(Field(1, "com.microsoft"), Field(2, 1))));
    }

    private static byte[] Attribute(string name, long value) => Field(5, Message(Field(1, name), Field(3, value), Field(20, 2)));

    private static byte[] Tensor(string name, int kind, byte[] values, params long[] extents)
        => Message([.. extents.Select(extent => Field(1, extent)), Field(2, kind), Field(8, name), Field(9, values)]);

    // [M, columns], M open.
    private static byte[] Value(string name, long columns)
        => Message(Field(1, name), Field(2, Message(Field(1, Message(Field(1, Float), Field(2, Message(Field(1, Message(Field(2, "M"))), Field(1, Message(Field(1, columns))))))))));

    private static byte[] Field(int number, long value) => [.. Varint((ulong)(number << 3)), .. Varint((ulong)value)];

    private static byte[] Field(int number, string value) => Field(number, Encoding.UTF8.GetBytes(value));

    private static byte[] Field(int number, byte[] value)
    {
        var head = (byte[])[.. Varint((ulong)((number << 3) | 2)), .. Varint((ulong)value.Length)];
        var all = new byte[head.Length + value.Length];
        head.CopyTo(all, 0);
        value.CopyTo(all, head.Length);
        return all;
    }

    private static byte[] Message(params byte[][] fields)
    {
        using var all = new MemoryStream();
        System.Array.ForEach(fields, field => all.Write(field));
        return all.ToArray();
    }

    private static IEnumerable<byte> Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)(value | 0x80);
        }

        yield return (byte)value;
    }
}
