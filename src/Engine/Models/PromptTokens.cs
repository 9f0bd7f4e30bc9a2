namespace MASQuant.Engine.Models;

/// <summary>What decides the keys and values of a sequence's tokens: their ids, their positions and the media behind them. A token's depend on nothing that follows it.</summary>
/// <param name="Ids">The ids, of a prompt and of what was answered.</param>
/// <param name="Positions">Of the prompt's tokens.</param>
/// <param name="Media">Where each medium's tokens begin and end, and what it is.</param>
public sealed record PromptTokens(int[] Ids, PositionIds Positions, IReadOnlyList<(int Start, int End, string Hash)> Media)
{
    /// <summary>The number of tokens at the beginning that both have alike; media are alike as wholes.</summary>
    public int CommonLength(PromptTokens other)
    {
        var common = Ids.AsSpan().CommonPrefixLength(other.Ids);
        var positioned = Math.Min(common, Math.Min(Positions.Count, other.Positions.Count));
        var positions = Positions.CommonLength(other.Positions, positioned);
        common = positions < positioned ? positions : common;
        for (var i = 0; StartOf(i, other) is var start && start < common; i++)
        {
            if (i >= Media.Count || i >= other.Media.Count || Media[i] != other.Media[i] || Media[i].End > common)
            {
                return start;
            }
        }

        return common;
    }

    /// <summary>The same with further tokens of text behind them.</summary>
    public PromptTokens Then(IEnumerable<int> ids) => this with { Ids = [.. Ids, .. ids] };

    // An answer may spell a medium's tokens, so either may have one where the other has none.
    private int StartOf(int medium, PromptTokens other)
        => Math.Min(medium < Media.Count ? Media[medium].Start : int.MaxValue, medium < other.Media.Count ? other.Media[medium].Start : int.MaxValue);
}
