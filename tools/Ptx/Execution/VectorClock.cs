namespace MASQuant.Ptx.Execution;

/// <summary>What a warp knows of the others: it is ordered behind everything that warp w, or the copies that report to a barrier, did up to entry w. A warp's own entry counts the points from which on
/// others, or its own lanes, may be behind it.</summary>
internal static class VectorClock
{
    /// <summary>Entries of warps come first, those of barriers' copies behind them.</summary>
    public const int MaxWarps = 32;

    public const int MaxBarriers = 32;

    public static int[] New() => new int[MaxWarps + MaxBarriers];

    /// <summary>From now on behind <paramref name="other"/>, too.</summary>
    public static void Join(int[] clock, int[] other)
    {
        for (var i = 0; i < clock.Length; i++)
        {
            clock[i] = Math.Max(clock[i], other[i]);
        }
    }
}
