namespace MASQuant.Quantization.Options;

/// <summary>One place and value of an override: of <c>0,5.Down:W8A8</c> the place <c>5.Down</c> and the value <c>W8A8</c>.</summary>
/// <param name="Place">The place as it was written.</param>
/// <param name="Blocks">Its blocks.</param>
/// <param name="Words">What follows the blocks, without the dots.</param>
/// <param name="Value">What stands behind the colon.</param>
public sealed record OverrideEntry(string Place, BlockRange Blocks, string[] Words, string Value)
{
    /// <summary>Reads entries that blanks separate, each with places that commas separate.</summary>
    /// <exception cref="FormatException">Says which part is wrong, and what is allowed.</exception>
    public static IEnumerable<OverrideEntry> Read(string text)
    {
        foreach (var entry in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = entry.LastIndexOf(':');
            if (colon <= 0 || colon == entry.Length - 1)
            {
                throw new FormatException($"'{entry}' is not PLACE:VALUE");
            }

            foreach (var place in entry[..colon].Split(','))
            {
                var words = place.Split('.');
                yield return BlockRange.TryParse(words[0], out var blocks)
                    ? new OverrideEntry(place, blocks, words[1..], entry[(colon + 1)..])
                    : throw new FormatException($"'{words[0]}' in '{entry}' is no block; a block is a number from 0, a range such as 0-5, or *");
            }
        }
    }

    /// <summary>The same entries as text, places of equal values joined.</summary>
    public static string Write(IEnumerable<(string Place, string Value)> rules)
    {
        var entries = new List<(string Places, string Value)>();
        foreach (var (place, value) in rules)
        {
            if (entries.Count > 0 && entries[^1].Value == value)
            {
                entries[^1] = ($"{entries[^1].Places},{place}", value);
            }
            else
            {
                entries.Add((place, value));
            }
        }

        return string.Join(' ', entries.Select(entry => $"{entry.Places}:{entry.Value}"));
    }
}
