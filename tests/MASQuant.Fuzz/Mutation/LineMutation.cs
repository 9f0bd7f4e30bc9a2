namespace MASQuant.Fuzz.Mutation;

/// <summary>Changes of a text of lines: lines are repeated, left out and taken from another text, and changed one at a time.</summary>
internal static class LineMutation
{
    /// <summary>One change of a line, by bytes.</summary>
    public static byte[] Mutate(byte[] input, byte[] other, Random random) => Mutate(input, other, random, ByteMutation.Mutate);

    /// <summary>One change of a line of JSON.</summary>
    public static byte[] MutateJson(byte[] input, byte[] other, Random random) => Mutate(input, other, random, JsonMutation.Mutate);

    private static byte[] Mutate(byte[] input, byte[] other, Random random, Mutator line)
    {
        var lines = Lines(input);
        var at = random.Next(lines.Count);
        switch (random.Next(8))
        {
            case 0:
                return ByteMutation.Mutate(input, other, random);
            case 1:
                lines.RemoveAt(at);
                break;
            case 2:
                lines.Insert(random.Next(lines.Count), lines[at]);
                break;
            case 3:
                var others = Lines(other);
                lines[at] = others[random.Next(others.Count)];
                break;
            default:
                lines[at] = line(lines[at], other, random);
                break;
        }

        return [.. lines.SelectMany((text, i) => i == 0 ? text : [(byte)'\n', .. text])];
    }

    private static List<byte[]> Lines(byte[] text)
    {
        var lines = new List<byte[]>();
        foreach (var range in text.AsSpan().Split((byte)'\n'))
        {
            lines.Add(text[range]);
        }

        return lines;
    }
}
