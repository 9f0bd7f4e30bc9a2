using System.Globalization;

namespace MASQuant.Delivery.Caching;

/// <summary>Ages as people write them: <c>12h</c>, <c>30d</c>, <c>8w</c>.</summary>
public static class CacheAge
{
    /// <summary>What may be written.</summary>
    public const string Allowed = "hours, days or weeks, such as 12h, 30d or 8w";

    private const int MaxDays = 36_500;

    /// <summary>Reads an age; null when it is none.</summary>
    public static TimeSpan? Read(string text)
    {
        var days = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch
        {
            'h' => 1 / 24.0,
            'd' => 1,
            'w' => 7,
            _ => 0,
        };
        return days > 0 && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * days is >= 0 and <= MaxDays and var age
            ? TimeSpan.FromDays(age)
            : null;
    }
}
