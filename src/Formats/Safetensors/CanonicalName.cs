using System.Diagnostics.CodeAnalysis;

namespace MASQuant.Formats.Safetensors;

/// <summary>Maps the names of the hub's layouts to one: <c>model.…</c> (the decoder), <c>visual.…</c>, <c>audio_tower.…</c>, <c>lm_head.…</c>.
/// A full Omni checkpoint keeps them under <c>thinker.</c> beside the parts that speak (<c>talker.</c>, <c>token2wav.</c>), which are left out; newer VL checkpoints write <c>model.language_model.…</c> and <c>model.visual.…</c>.</summary>
internal sealed class CanonicalName(IEnumerable<string> storedNames)
{
    private const string Thinker = "thinker.";

    private static readonly string[] Parts = ["model.", "visual.", "audio_tower.", "lm_head."];

    private static readonly (string Stored, string Canonical)[] Renamed =
    [
        ("model.language_model.", "model."),
        ("model.visual.", "visual."),
    ];

    private readonly bool _hasThinker = storedNames.Any(name => name.StartsWith(Thinker, StringComparison.Ordinal));

    /// <summary>The canonical name, or false for a tensor that belongs to no supported part.</summary>
    public bool TryMap(string storedName, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (_hasThinker && !storedName.StartsWith(Thinker, StringComparison.Ordinal))
        {
            return false;
        }

        var candidate = _hasThinker ? storedName[Thinker.Length..] : storedName;
        foreach (var (stored, canonical) in Renamed)
        {
            if (candidate.StartsWith(stored, StringComparison.Ordinal))
            {
                candidate = canonical + candidate[stored.Length..];
                break;
            }
        }

        name = Parts.Any(part => candidate.StartsWith(part, StringComparison.Ordinal)) ? candidate : null;
        return name is not null;
    }
}
