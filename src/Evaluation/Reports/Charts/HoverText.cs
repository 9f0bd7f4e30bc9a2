using System.Globalization;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>A mark's value, for who points at it.</summary>
internal static class HoverText
{
    /// <summary>Four digits, and the interval behind them.</summary>
    public static string Of(double value, (double Low, double High)? interval = null)
        => interval is { } ends && double.IsFinite(ends.Low) && double.IsFinite(ends.High) ? $"{Digits(value)} ({Digits(ends.Low)} … {Digits(ends.High)})" : Digits(value);

    private static string Digits(double value) => value.ToString("G4", CultureInfo.InvariantCulture).Replace('-', '−');
}
