namespace MASQuant;

/// <summary>A limit of pixels or frames.</summary>
internal static class MediaLimit
{
    /// <summary>Refuses a count below one.</summary>
    public static int? Require(int? count, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count ?? 1, 1, name);
        return count;
    }

    /// <summary>Refuses a rate that is not positive and finite.</summary>
    public static double? Require(double? rate, string name)
        => rate is null or (> 0 and < double.PositiveInfinity) ? rate : throw new ArgumentOutOfRangeException(name, rate, "A rate must be positive and finite.");
}
