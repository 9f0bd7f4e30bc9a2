using System.Text;

namespace MASQuant.Delivery.Caching;

/// <summary>Reads the fields of a protocol buffer message whose sender is not trusted.</summary>
internal static class ProtobufReader
{
    private const int MaxVarintBytes = 10;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>The fields in the order that they stand in.</summary>
    /// <exception cref="InvalidDataException">The message is damaged.</exception>
    public static IEnumerable<Field> Fields(ReadOnlyMemory<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message.Span, ref at);
            var number = tag >> 3 is > 0 and <= 0x1FFFFFFF and var valid ? (int)valid : throw Damaged();
            switch (tag & 7)
            {
                case 0:
                    yield return new Field(number, (long)Varint(message.Span, ref at), default);
                    break;
                case 1:
                    yield return new Field(number, 0, Take(message, ref at, sizeof(ulong)));
                    break;
                case 2:
                    yield return new Field(number, 0, Take(message, ref at, Varint(message.Span, ref at)));
                    break;
                case 5:
                    yield return new Field(number, 0, Take(message, ref at, sizeof(uint)));
                    break;
                default:
                    throw Damaged();
            }
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var i = 0; i < MaxVarintBytes && at < bytes.Length; i++)
        {
            var part = bytes[at++];
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                return value;
            }
        }

        throw Damaged();
    }

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> bytes, ref int at, ulong length)
    {
        if (length > (ulong)(bytes.Length - at))
        {
            throw Damaged();
        }

        var content = bytes.Slice(at, (int)length);
        at += (int)length;
        return content;
    }

    private static InvalidDataException Damaged() => new("The message is damaged.");

    /// <summary>A field: its number, and its value or content by its kind.</summary>
    public readonly record struct Field(int Number, long Value, ReadOnlyMemory<byte> Content)
    {
        /// <summary>The content as text.</summary>
        /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
        public string Text
        {
            get
            {
                try
                {
                    return StrictUtf8.GetString(Content.Span);
                }
                catch (ArgumentException)
                {
                    throw Damaged();
                }
            }
        }
    }
}
