using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MASQuant.Fuzz.Mutation;

/// <summary>Changes of a JSON text that mostly stay JSON: values, names and members are replaced, repeated and left out.</summary>
internal static class JsonMutation
{
    private static readonly string[] Values =
        ["null", "true", "false", "[]", "{}", "[null]", "{\"\":null}", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "\"..\"", "\"a/../../b\"", "\"NaN\"", "\"Text\"", "1e309", "-1e309", "1e-320", "0.5", "-0", "1e5", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"];

    /// <summary>One change of a value, a name or a member; of what is no JSON, of a byte.</summary>
    public static byte[] Mutate(byte[] input, byte[] other, Random random)
    {
        var values = Spans(input);
        if (values.Count == 0 || random.Next(8) == 0)
        {
            return ByteMutation.Mutate(input, other, random);
        }

        var (start, end, name) = values[random.Next(values.Count)];
        switch (random.Next(6))
        {
            case 0:
                return Replace(input, start, end, Value(random));
            case 1:
                return Replace(input, start, end, Encoding.UTF8.GetBytes(ByteMutation.Number(random).ToString(CultureInfo.InvariantCulture)));
            case 2:
                var (from, to, _) = values[random.Next(values.Count)];
                return Replace(input, start, end, input[from..to]);
            case 3 when name >= 0:
                return Replace(input, name, end, [.. input[name..end], (byte)',', .. input[name..end]]);
            case 4 when name >= 0:
                return Leave(input, name, end);
            case 5 when Spans(other) is { Count: > 0 } others:
                var (first, last, _) = others[random.Next(others.Count)];
                return Replace(input, start, end, other[first..last]);
            default:
                return Replace(input, start, end, [.. input[start..end], (byte)',', .. input[start..end]]);
        }
    }

    private static byte[] Value(Random random) => random.Next(16) > 0 ? Encoding.UTF8.GetBytes(Values[random.Next(Values.Length)])
        : [(byte)'"', .. Enumerable.Repeat((byte)'a', 1 + random.Next(5000)), (byte)'"'];

    private static byte[] Replace(byte[] input, int start, int end, byte[] value) => [.. input[..start], .. value, .. input[end..]];

    // With the comma that follows, or the one before.
    private static byte[] Leave(byte[] input, int start, int end)
    {
        for (; end < input.Length && input[end] is (byte)' ' or (byte)'\n'; end++)
        {
        }

        if (end < input.Length && input[end] == ',')
        {
            return [.. input[..start], .. input[(end + 1)..]];
        }

        var comma = input.AsSpan(0, start).LastIndexOf((byte)',');
        return [.. input[..(comma < 0 ? start : comma)], .. input[end..]];
    }

    // Start and end of every value, and the start of its name, or −1; as far as the text is JSON.
    private static List<(int Start, int End, int Name)> Spans(byte[] json)
    {
        var spans = new List<(int, int, int)>();
        var open = new Stack<(int Start, int Name)>();
        var name = -1;
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                var (start, end) = ((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        name = start;
                        continue;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        open.Push((start, name));
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        var opened = open.Pop();
                        spans.Add((opened.Start, end, opened.Name));
                        break;
                    default:
                        spans.Add((start, end, name));
                        break;
                }

                name = -1;
            }
        }
        catch (JsonException)
        {
        }

        return spans;
    }
}
