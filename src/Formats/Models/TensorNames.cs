namespace MASQuant.Formats.Models;

/// <summary>How checkpoints of a family name their tensors. The canonical names begin with <c>model.</c> (the decoder), <c>visual.</c>, <c>audio_tower.</c> or <c>lm_head.</c></summary>
public sealed record TensorNames
{
    private static readonly string[] Common = ["model.", "visual.", "audio_tower.", "lm_head."];

    /// <summary>Names of files that are canonical already.</summary>
    public static TensorNames Canonical { get; } = new();

    /// <summary>The prefix under which a larger model keeps this one, or null. Where any tensor bears it, those without it belong to other parts and are left out.</summary>
    public string? Within { get; init; }

    /// <summary>Prefixes that some tools write, and the canonical ones; the first that fits counts.</summary>
    public IReadOnlyList<(string Stored, string Canonical)> Renamed { get; init; } = [];

    /// <summary>Beginnings of canonical names that the family has beside the usual ones.</summary>
    public IReadOnlyList<string> Further { get; init; } = [];

    /// <summary>The canonical name of each tensor that belongs to a supported part.</summary>
    /// <param name="storedNames">All names of a checkpoint.</param>
    public IEnumerable<(string Stored, string Canonical)> Map(IReadOnlyCollection<string> storedNames)
    {
        var prefix = Within is not null && storedNames.Any(name => Begins(name, Within)) ? Within : "";
        foreach (var stored in storedNames)
        {
            if (Begins(stored, prefix) && Rename(stored[prefix.Length..]) is var name && Common.Concat(Further).Any(part => Begins(name, part)))
            {
                yield return (stored, name);
            }
        }
    }

    private string Rename(string name)
    {
        foreach (var (stored, canonical) in Renamed)
        {
            if (Begins(name, stored))
            {
                return canonical + name[stored.Length..];
            }
        }

        return name;
    }

    private static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);
}
