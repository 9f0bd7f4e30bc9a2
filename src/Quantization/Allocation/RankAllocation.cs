using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Allocation;

/// <summary>One patch whose rank is to be chosen.</summary>
/// <param name="Layer">Its block.</param>
/// <param name="Linear">Its linear layer.</param>
/// <param name="Modality">Whose tokens it serves.</param>
/// <param name="Gains">What each further step of rank brings; as many as there may be steps.</param>
internal sealed record RankChoice(int Layer, DecoderLinear Linear, Modality Modality, double[] Gains)
{
    /// <summary>The bytes of one rank: a column of L1 and a row of L2 in BF16.</summary>
    public long RankBytes => (long)(Linear.Outputs + Linear.Inputs) * sizeof(ushort);
}

/// <summary>Chooses the ranks of all patches of a model together: the gain is the largest that a number of bytes allows. Exact dynamic programming over bytes, so nothing depends on the order of equal gains.</summary>
internal static class RankAllocation
{
    // Beyond this many units of bytes, costs are rounded up to larger units: never over the budget, at most 1/65536 of it unused per patch.
    private const long MaxUnits = 1 << 16;

    /// <summary>The rank of every choice, each a multiple of <paramref name="step"/>.</summary>
    /// <param name="choices">The patches.</param>
    /// <param name="step">Ranks per step.</param>
    /// <param name="bytes">What all patches together may take.</param>
    public static int[] Allocate(IReadOnlyList<RankChoice> choices, int step, long bytes)
    {
        long[] costs = [.. choices.Select(choice => choice.RankBytes * step)];
        var all = choices.Zip(costs, (choice, cost) => choice.Gains.Length * cost).Sum();
        bytes = Math.Min(bytes, all);
        if (bytes == 0)
        {
            return new int[choices.Count];
        }

        var unit = Math.Max(costs.Aggregate(GreatestCommonDivisor), (bytes + MaxUnits - 1) / MaxUnits);
        var units = (int)(bytes / unit);
        var best = new double[units + 1];
        var taken = new ushort[choices.Count][];
        for (var i = 0; i < choices.Count; i++)
        {
            (best, taken[i]) = Extend(best, choices[i].Gains, (costs[i] + unit - 1) / unit);
        }

        // The fewest bytes that reach the best gain.
        var left = Array.IndexOf(best, best[units]);
        var ranks = new int[choices.Count];
        for (var i = choices.Count - 1; i >= 0; i--)
        {
            var steps = taken[i][left];
            ranks[i] = steps * step;
            left -= (int)(steps * ((costs[i] + unit - 1) / unit));
        }

        return ranks;
    }

    // best[u] with one more patch, and the steps of that patch which reach it; of equal gains the fewest steps.
    private static (double[] Best, ushort[] Taken) Extend(double[] before, double[] gains, long cost)
    {
        var best = (double[])before.Clone();
        var taken = new ushort[before.Length];
        var gain = 0.0;
        for (var steps = 1; steps <= gains.Length && steps * cost < before.Length; steps++)
        {
            gain += gains[steps - 1];
            var price = (int)(steps * cost);
            for (var u = price; u < best.Length; u++)
            {
                if (before[u - price] + gain > best[u])
                {
                    best[u] = before[u - price] + gain;
                    taken[u] = (ushort)steps;
                }
            }
        }

        return (best, taken);
    }

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
