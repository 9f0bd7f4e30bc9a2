using System.Diagnostics.CodeAnalysis;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Options;

/// <summary>Schemes of single decoder blocks or input groups: <c>0,5:W8A8 *.Down:W8A8</c>. The layers of a group share their quantized input, so they share a scheme. Of several entries that name a place the last wins. Immutable, equal by content.</summary>
public sealed class LayerSchemes : IEquatable<LayerSchemes>
{
    /// <summary>The form, for people.</summary>
    public const string Form = "empty, or PLACE[,PLACE]:SCHEME, blanks between entries; a place is a block (0, 0-5, *), or .Qkv, .O, .GateUp, .Down of it";

    private readonly Rule[] _rules;
    private readonly string _text;

    private LayerSchemes(Rule[] rules)
    {
        _rules = rules;
        _text = OverrideEntry.Write(rules.Select(rule => (rule.Group is { } group ? $"{rule.Blocks}.{group}" : $"{rule.Blocks}", $"{rule.Scheme}")));
    }

    /// <summary>No overrides.</summary>
    public static LayerSchemes None { get; } = new([]);

    /// <summary>The schemes that occur.</summary>
    public IEnumerable<QuantizationScheme> Schemes => _rules.Select(rule => rule.Scheme).Distinct();

    /// <summary>Reads overrides.</summary>
    /// <param name="text">In <see cref="Form"/>.</param>
    /// <param name="schemes">The overrides, or null.</param>
    /// <param name="problem">What is wrong, and what would be allowed there; or null.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out LayerSchemes? schemes, [NotNullWhen(false)] out string? problem)
    {
        try
        {
            (schemes, problem) = (new LayerSchemes([.. OverrideEntry.Read(text).Select(Read)]), null);
            return true;
        }
        catch (FormatException e)
        {
            (schemes, problem) = (null, e.Message);
            return false;
        }
    }

    /// <summary>One scheme for each block and group, as few words as possible.</summary>
    /// <param name="common">The scheme that needs no words.</param>
    /// <param name="schemes">By block, then by <see cref="InputGroup"/>.</param>
    public static LayerSchemes Of(QuantizationScheme common, IReadOnlyList<IReadOnlyList<QuantizationScheme>> schemes)
    {
        var rules = new List<Rule>();
        for (var layer = 0; layer < schemes.Count; layer++)
        {
            var groups = schemes[layer];
            if (groups.Any(scheme => scheme != groups[0]))
            {
                rules.AddRange(Enum.GetValues<InputGroup>().Where(group => groups[(int)group] != common).Select(group => new Rule(new(layer, layer), group, groups[(int)group])));
            }
            else if (groups[0] != common)
            {
                rules.Add(new Rule(new(layer, layer), null, groups[0]));
            }
        }

        return new LayerSchemes([.. rules]);
    }

    /// <summary>The scheme that a group is given, or null.</summary>
    public QuantizationScheme? For(int layer, InputGroup group)
    {
        var rule = Array.FindLast(_rules, rule => rule.Blocks.Contains(layer) && (rule.Group ?? group) == group);
        return rule.Scheme == default ? null : rule.Scheme;
    }

    /// <summary>A place that a model of so many blocks lacks, or null.</summary>
    internal string? Beyond(int layers) => Array.Find(_rules, rule => rule.Blocks.Exceeds(layers)) is { Scheme.WeightBits: > 0 } found ? $"{found.Blocks}" : null;

    /// <inheritdoc/>
    public bool Equals(LayerSchemes? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LayerSchemes);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    /// <summary>The text that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => _text;

    private static Rule Read(OverrideEntry entry)
    {
        InputGroup? group = entry.Words switch
        {
            [] => null,
            [var word] when Enum.GetNames<InputGroup>().Contains(word, StringComparer.OrdinalIgnoreCase) => Enum.Parse<InputGroup>(word, ignoreCase: true),
            _ => throw new FormatException($"'{entry.Place}' is no place; behind the block may stand .{string.Join(", .", Enum.GetNames<InputGroup>())}"),
        };
        return QuantizationScheme.TryParse(entry.Value, out var scheme)
            ? new Rule(entry.Blocks, group, scheme)
            : throw new FormatException($"'{entry.Value}' is no scheme; schemes are {string.Join(", ", QuantizationScheme.All)}");
    }

    private readonly record struct Rule(BlockRange Blocks, InputGroup? Group, QuantizationScheme Scheme);
}
