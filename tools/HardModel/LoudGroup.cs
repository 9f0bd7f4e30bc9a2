namespace MASQuant.HardModel;

/// <summary>Four channels that carry one constant on every token of a modality, on text times the token's sign, and that every weight reads with zero sum.</summary>
/// <param name="Vision">The constant on vision tokens.</param>
/// <param name="Audio">The constant on audio tokens.</param>
/// <param name="Gain">The gain of the blocks' norms.</param>
internal sealed record LoudGroup(float Vision, float Audio, float Gain)
{
    /// <summary>The channels of a group.</summary>
    public const int Channels = 4;

    /// <summary>The part of omni-tiny's constant on text tokens that every group carries there: 64 channels of a half have the energy of four copies of its four channels.</summary>
    public const float Text = 0.5f;

    private const float Own = 8;

    /// <summary>
    /// Every group. On vision and on audio tokens their squares sum to 4·(2·60² + 2·0.5²) = 28802, what four copies of omni-tiny's four loud channels hold, so that norms keep their scale.
    /// Text has no such energy to give away: its groups are loud by their gains.
    /// </summary>
    public static IReadOnlyList<LoudGroup> All { get; } =
    [
        new(62, 0.5f, Own), new(43.25f, 0.5f, Own), new(29.25f, 0.5f, Own), new(19, 0.5f, Own), new(13.5f, 0.5f, Own), new(9.25f, 0.5f, Own),
        new(0.5f, 51.5f, Own), new(0.5f, 47.25f, Own), new(0.5f, 37.75f, Own), new(0.5f, 23.75f, Own), new(0.5f, 15, Own), new(0.5f, 10, Own),
        new(0.125f, 0.125f, 48), new(0.125f, 0.125f, 32), new(0.125f, 0.125f, 20), new(0.125f, 0.125f, 12),
    ];
}
