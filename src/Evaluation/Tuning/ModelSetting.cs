using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;

namespace MASQuant.Evaluation.Tuning;

/// <summary>What one input group gets.</summary>
/// <param name="Scheme">Its scheme.</param>
/// <param name="RankVision">The rank of its layers' patches for vision.</param>
/// <param name="RankAudio">The rank of its layers' patches for audio.</param>
public readonly record struct GroupSetting(QuantizationScheme Scheme, int RankVision, int RankAudio)
{
    /// <summary>The rank for a modality; 0 for text.</summary>
    public int Rank(Modality modality) => modality switch
    {
        Modality.Vision => RankVision,
        Modality.Audio => RankAudio,
        _ => 0,
    };

    /// <summary>The same with another rank for a modality.</summary>
    public GroupSetting With(Modality modality, int rank) => modality == Modality.Vision ? this with { RankVision = rank } : this with { RankAudio = rank };
}

/// <summary>Schemes and ranks of a whole model. Immutable, equal by content.</summary>
public sealed class ModelSetting : IEquatable<ModelSetting>
{
    private static readonly InputGroup[] Groups = Enum.GetValues<InputGroup>();

    private readonly GroupSetting[] _groups;

    /// <summary>Takes the groups, block after block in the order of <see cref="InputGroup"/>.</summary>
    public ModelSetting(IEnumerable<GroupSetting> groups) => _groups = [.. groups];

    /// <summary>The groups, block after block.</summary>
    public IReadOnlyList<GroupSetting> All => _groups;

    /// <summary>The same with one group changed.</summary>
    public ModelSetting With(int index, GroupSetting setting)
    {
        var groups = (GroupSetting[])_groups.Clone();
        groups[index] = setting;
        return new ModelSetting(groups);
    }

    /// <summary>The options that quantize so: the commonest scheme and rank, and overrides for the rest.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="modalities">The model's.</param>
    public QuantizationOptions ToOptions(QuantizationOptions options, IReadOnlyList<Modality> modalities)
    {
        var patched = modalities.Where(modality => modality != Modality.Text).ToArray();
        var scheme = Commonest(_groups.Select(group => group.Scheme));
        var rank = Commonest(_groups.SelectMany(group => patched.Select(modality => group.Rank(modality))).DefaultIfEmpty(0));
        return options with
        {
            Scheme = scheme,
            FirstBlock = FirstBlockKind.Scheme,
            LayerSchemes = LayerSchemes.Of(scheme, [.. _groups.Chunk(Groups.Length).Select(block => block.Select(group => group.Scheme).ToArray())]),
            Rank = rank,
            PatchBytes = null,
            LayerRanks = Ranks(rank, patched),
        };
    }

    /// <inheritdoc/>
    public bool Equals(ModelSetting? other) => other is not null && _groups.AsSpan().SequenceEqual(other._groups);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ModelSetting);

    /// <inheritdoc/>
    public override int GetHashCode() => _groups.Aggregate(0, HashCode.Combine);

    // Places do not overlap, so they are ordered by rank, which makes the text short.
    private LayerRanks Ranks(int common, Modality[] patched)
    {
        var places = new List<(string Place, int Rank)>();
        for (var layer = 0; layer < _groups.Length / Groups.Length; layer++)
        {
            var block = _groups.AsSpan(layer * Groups.Length, Groups.Length).ToArray();
            foreach (var (modality, suffix) in Same(block, patched) ? [(patched[0], "")] : patched.Select(modality => (modality, $".{modality}")))
            {
                if (block.All(group => group.Rank(modality) == block[0].Rank(modality)))
                {
                    places.Add((FormattableString.Invariant($"{layer}{suffix}"), block[0].Rank(modality)));
                }
                else
                {
                    places.AddRange(Groups.Select(group => (FormattableString.Invariant($"{layer}.{group}{suffix}"), block[(int)group].Rank(modality))));
                }
            }
        }

        var text = OverrideEntry.Write(places.Where(place => place.Rank != common).OrderBy(place => place.Rank).Select(place => (place.Place, FormattableString.Invariant($"{place.Rank}"))));
        return LayerRanks.TryParse(text, out var ranks, out var problem) ? ranks : throw new FormatException(problem);
    }

    private static bool Same(GroupSetting[] block, Modality[] patched)
        => patched.Length > 0 && block.All(group => patched.All(modality => group.Rank(modality) == group.Rank(patched[0])));

    private static T Commonest<T>(IEnumerable<T> values)
        where T : notnull
        => values.GroupBy(value => value).MaxBy(group => group.Count())!.Key;
}
