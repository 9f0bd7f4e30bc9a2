using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Options;

/// <summary>Ranks of single patches, by linear layer and modality: <c>5:32 *.down_proj.Audio:8</c>. Of several entries that name a patch the last wins. Immutable, equal by content.</summary>
public sealed class LayerRanks : IEquatable<LayerRanks>
{
    /// <summary>The form, for people.</summary>
    public const string Form = "empty, or PLACE[,PLACE]:RANK, blanks between entries; a place is a block (0, 0-5, *), or .Qkv, .O, .GateUp, .Down or .q_proj … .down_proj of it, or .Vision, .Audio of either";

    /// <summary>The largest rank.</summary>
    public const int MaxRank = 4096;

    private static readonly string[] LinearNames = [.. Enum.GetNames<InputGroup>(), "q_proj", "k_proj", "v_proj", "o_proj", "in_proj_qkv", "in_proj_z", "out_proj", "gate_proj", "up_proj", "down_proj"];
    private static readonly string[] PatchedModalities = [.. Enum.GetNames<Modality>().Where(name => name != nameof(Modality.Text))];

    private readonly Rule[] _rules;
    private readonly string _text;

    private LayerRanks(Rule[] rules)
    {
        _rules = rules;
        _text = OverrideEntry.Write(rules.Select(rule => (
            string.Join('.', new object?[] { rule.Blocks, rule.Linear, rule.Modality }.Where(part => part is not null)),
            rule.Rank.ToString(CultureInfo.InvariantCulture))));
    }

    /// <summary>No overrides.</summary>
    public static LayerRanks None { get; } = new([]);

    /// <summary>Reads overrides.</summary>
    /// <param name="text">In <see cref="Form"/>.</param>
    /// <param name="ranks">The overrides, or null.</param>
    /// <param name="problem">What is wrong, and what would be allowed there; or null.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out LayerRanks? ranks, [NotNullWhen(false)] out string? problem)
    {
        try
        {
            (ranks, problem) = (new LayerRanks([.. OverrideEntry.Read(text).Select(Read)]), null);
            return true;
        }
        catch (FormatException e)
        {
            (ranks, problem) = (null, e.Message);
            return false;
        }
    }

    /// <summary>One entry per patch.</summary>
    /// <param name="patches">Block, layer (<see cref="DecoderLinear.Name"/>), modality and rank.</param>
    public static LayerRanks Of(IEnumerable<(int Layer, string Linear, Modality Modality, int Rank)> patches)
        => new([.. patches.Select(patch => new Rule(new(patch.Layer, patch.Layer), ShortName(patch.Linear), patch.Modality, patch.Rank))]);

    /// <summary>The rank that a patch is given, or null.</summary>
    public int? For(int layer, DecoderLinear linear, Modality modality)
    {
        var (name, group) = (ShortName(linear.Name), linear.Group.ToString());
        var index = Array.FindLastIndex(_rules, rule => rule.Blocks.Contains(layer)
            && (rule.Linear is null || rule.Linear == name || rule.Linear == group) && (rule.Modality ?? modality) == modality);
        return index < 0 ? null : _rules[index].Rank;
    }

    /// <summary>A place that a model of so many blocks lacks, or null.</summary>
    internal string? Beyond(int layers)
    {
        var index = Array.FindIndex(_rules, rule => rule.Blocks.Exceeds(layers));
        return index < 0 ? null : $"{_rules[index].Blocks}";
    }

    /// <inheritdoc/>
    public bool Equals(LayerRanks? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LayerRanks);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    /// <summary>The text that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => _text;

    private static string ShortName(string linear) => linear[(linear.LastIndexOf('.') + 1)..];

    private static Rule Read(OverrideEntry entry)
    {
        var words = entry.Words.ToList();
        var linear = Take(words, LinearNames);
        var modality = Take(words, PatchedModalities);
        if (words.Count > 0)
        {
            throw new FormatException($"'{entry.Place}' is no place; behind the block may stand .{string.Join(", .", LinearNames)}, then .{string.Join(" or .", PatchedModalities)}");
        }

        return int.TryParse(entry.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var rank) && rank <= MaxRank
            ? new Rule(entry.Blocks, linear, modality is null ? null : Enum.Parse<Modality>(modality), rank)
            : throw new FormatException($"'{entry.Value}' is no rank; ranks are 0…{MaxRank}");
    }

    private static string? Take(List<string> words, string[] allowed)
    {
        var found = words.Count == 0 ? null : Array.Find(allowed, name => string.Equals(name, words[0], StringComparison.OrdinalIgnoreCase));
        if (found is not null)
        {
            words.RemoveAt(0);
        }

        return found;
    }

    private readonly record struct Rule(BlockRange Blocks, string? Linear, Modality? Modality, int Rank);
}
