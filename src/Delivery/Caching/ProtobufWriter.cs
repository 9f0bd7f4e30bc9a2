using System.Text;

namespace MASQuant.Delivery.Caching;

/// <summary>Writes a protocol buffer message: texts, messages and whole numbers.</summary>
internal sealed class ProtobufWriter
{
    private const int VarintType = 0;
    private const int LengthType = 2;
    private readonly MemoryStream _bytes = new();

    public ProtobufWriter Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    public ProtobufWriter Message(int field, ProtobufWriter message) => Bytes(field, message.ToArray());

    public ProtobufWriter Number(int field, long value)
    {
        Varint((ulong)(field << 3 | VarintType));
        Varint((ulong)value);
        return this;
    }

    public byte[] ToArray() => _bytes.ToArray();

    private ProtobufWriter Bytes(int field, byte[] content)
    {
        Varint((ulong)(field << 3 | LengthType));
        Varint((ulong)content.Length);
        _bytes.Write(content);
        return this;
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _bytes.WriteByte((byte)(value | 0x80));
        }

        _bytes.WriteByte((byte)value);
    }
}
