using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace MASQuant.Fuzz.Mutation;

/// <summary>Changes of a safetensors file's header behind its right length, and of the JSON files that an artifact's tensors are, with offsets that fit again.</summary>
internal static class SafetensorsMutation
{
    private const int LengthBytes = 8;

    /// <summary>One change of the header, of an embedded file or of data; of what is no safetensors file, of a byte.</summary>
    public static byte[] Mutate(byte[] input, byte[] other, Random random)
    {
        if (random.Next(8) == 0 || HeaderLength(input) is not { } length)
        {
            return ByteMutation.Mutate(input, other, random);
        }

        var (header, data) = (input[LengthBytes..(LengthBytes + length)], input[(LengthBytes + length)..]);
        return random.Next(3) switch
        {
            0 => File(JsonMutation.Mutate(header, header, random), data),
            1 => File(header, ByteMutation.Mutate(data, data, random)),
            _ => Embedded(header, data, random) ?? File(JsonMutation.Mutate(header, header, random), data),
        };
    }

    private static int? HeaderLength(byte[] file)
        => file.Length >= LengthBytes && BinaryPrimitives.ReadUInt64LittleEndian(file) is var length && length <= (ulong)(file.Length - LengthBytes) ? (int)length : null;

    private static byte[] File(byte[] header, byte[] data)
    {
        var length = new byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }

    // A longer or shorter text moves all that follows.
    private static byte[]? Embedded(byte[] header, byte[] data, Random random)
    {
        try
        {
            var tensors = JsonNode.Parse(header)!.AsObject();
            (string Name, int Begin, int End)[] files = [.. tensors.Where(tensor => tensor.Key.StartsWith("files/", StringComparison.Ordinal)).Select(tensor => (tensor.Key, (int)tensor.Value!["data_offsets"]![0]!, (int)tensor.Value["data_offsets"]![1]!))];
            var (name, begin, end) = files[random.Next(files.Length)];
            var text = JsonMutation.Mutate(data[begin..end], data[begin..end], random);
            foreach (var (key, tensor) in tensors)
            {
                if (key != "__metadata__" && (int)tensor!["data_offsets"]![1]! >= end)
                {
                    var (first, last) = ((int)tensor["data_offsets"]![0]!, (int)tensor["data_offsets"]![1]!);
                    tensor["data_offsets"] = new JsonArray(key == name ? first : first + text.Length - (end - begin), last + text.Length - (end - begin));
                }
            }

            tensors[name]!["shape"] = new JsonArray(text.Length);
            return File(Encoding.UTF8.GetBytes(tensors.ToJsonString()), [.. data[..begin], .. text, .. data[end..]]);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return null; // The header has been changed before.
        }
    }
}
