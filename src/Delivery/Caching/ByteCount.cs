using System.Globalization;

namespace MASQuant.Delivery.Caching;

/// <summary>Numbers of bytes as people write them: <c>500MB</c>, <c>20GB</c>, <c>1.5TB</c>, in powers of 1000.</summary>
public static class ByteCount
{
    /// <summary>What may be written.</summary>
    public const string Allowed = "a number of bytes, such as 500MB, 20GB or 1.5TB";

    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>Reads a number of bytes; null when it is none.</summary>
    public static long? Read(string text)
    {
        var unit = Array.FindLastIndex(Units, unit => text.EndsWith(unit, StringComparison.OrdinalIgnoreCase));
        var number = unit < 0 ? text : text[..^Units[unit].Length];
        return double.TryParse(number, NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var value)
            && value * Math.Pow(1000, Math.Max(unit, 0)) is >= 0 and < long.MaxValue and var bytes
            ? (long)bytes
            : null;
    }

    /// <summary>Writes a number of bytes, three digits at least.</summary>
    public static string Write(long bytes)
    {
        var unit = bytes < 1000 ? 0 : Math.Min((int)Math.Log(bytes, 1000), Units.Length - 1);
        return unit == 0 ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B") : string.Create(CultureInfo.InvariantCulture, $"{bytes / Math.Pow(1000, unit):F1} {Units[unit]}");
    }
}
