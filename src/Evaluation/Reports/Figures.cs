using System.Globalization;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Reports;

/// <summary>Figures for people, the same in every culture.</summary>
public static class Figures
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary>Decimal units: <c>6.1 MB</c>.</summary>
    public static string Bytes(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 999.95 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return $"{Fixed(value, unit == 0 ? 0 : 1)} {Units[unit]}";
    }

    /// <summary>A number with decimals; a dash when there is none.</summary>
    public static string Fixed(double value, int decimals)
        => double.IsNaN(value) ? "–" : value.ToString(string.Create(CultureInfo.InvariantCulture, $"F{decimals}"), CultureInfo.InvariantCulture);

    /// <summary>A share as a percentage without its sign.</summary>
    public static string Percent(double share, int decimals = 1) => Fixed(share * 100, decimals);

    /// <summary>A figure and half of its interval: <c>0.00990 ± 0.00210</c>; a dash when there is none.</summary>
    public static string WithMargin(Estimate estimate, Func<double, string> format)
        => double.IsNaN(estimate.Value) ? format(estimate.Value) : $"{format(estimate.Value)} ± {format(estimate.Margin)}";

    /// <summary><c>1 h 05 min</c>, <c>2 min 10 s</c>, <c>7.3 s</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours} h {time.Minutes:00} min"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s"),
        _ => $"{Fixed(time.TotalSeconds, 1)} s",
    };

    /// <summary>The same, for an estimate.</summary>
    public static string Estimate(TimeSpan time) => time.TotalMinutes >= 1 ? Duration(time) : $"{Fixed(Math.Ceiling(time.TotalSeconds), 0)} s";
}
