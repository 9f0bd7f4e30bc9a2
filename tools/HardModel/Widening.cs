namespace MASQuant.HardModel;

/// <summary>
/// Where every channel of the wide residual stream comes from. A channel of omni-tiny becomes four copies, or one channel of twice its value: both have four times its energy, which over four times the width is the same mean square.
/// Its four loud channels go; the positions that they and the doubled channels leave free hold the loud groups.
/// </summary>
internal sealed class Widening
{
    /// <summary>omni-tiny's width.</summary>
    public const int Narrow = 256;

    /// <summary>The wide model's.</summary>
    public const int Wide = Narrow * Copies;

    /// <summary>Copies of a channel, and of a query head.</summary>
    public const int Copies = 4;

    /// <summary>One of omni-tiny's loud channels; on text all four carry the same value.</summary>
    public const int OldLoud = 11;

    private const int Doubled = 2;

    private static readonly int[] OldLoudChannels = [OldLoud, 35, 87, 222];

    /// <summary>Lays the channels out.</summary>
    public Widening()
    {
        var draws = new Draws("channels");
        var live = Enumerable.Range(0, Narrow).Except(OldLoudChannels).ToArray();
        var positions = Enumerable.Range(0, Wide).ToArray();
        draws.Shuffle<int>(live);
        draws.Shuffle<int>(positions);
        var loud = LoudGroup.All.Count * LoudGroup.Channels;
        var single = (loud - (OldLoudChannels.Length * Copies)) / (Copies - 1);
        var next = 0;
        Live = [.. live.Select((channel, i) => (channel, Take(i < single ? 1 : Copies)))];
        Loud = [.. LoudGroup.All.Select(group => (group, Take(LoudGroup.Channels)))];

        int[] Take(int count) => positions[next..(next += count)];
    }

    /// <summary>omni-tiny's channels with their positions in the wide stream.</summary>
    public IReadOnlyList<(int Channel, int[] Positions)> Live { get; }

    /// <summary>The loud groups with theirs.</summary>
    public IReadOnlyList<(LoudGroup Group, int[] Positions)> Loud { get; }

    /// <summary>By how much a channel that stands at <paramref name="positions"/> is scaled there.</summary>
    public static int Scale(int[] positions) => positions.Length == 1 ? Doubled : 1;
}
