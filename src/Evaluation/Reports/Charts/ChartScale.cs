using System.Globalization;

namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>Maps an axis' values to coordinates, and chooses its ticks.</summary>
internal sealed class ChartScale
{
    private const int WantedTicks = 5;
    private const double Margin = 0.04; // Of the extent, so that marks do not touch the frame.
    private readonly bool _logarithmic;
    private readonly double _low;
    private readonly double _high;
    private readonly double _start;
    private readonly double _end;

    /// <param name="axis">The axis.</param>
    /// <param name="values">What lies on it.</param>
    /// <param name="start">The coordinate of its low end.</param>
    /// <param name="end">The coordinate of its high end.</param>
    public ChartScale(ChartAxis axis, IEnumerable<double> values, double start, double end)
    {
        (_logarithmic, _start, _end) = (axis.Logarithmic, start, end);
        var (low, high) = axis.Extent is { } extent ? (Place(extent.Low), Place(extent.High)) : ExtentOf(axis, values);
        if (!(high > low))
        {
            (low, high) = (low - 0.5, high + 0.5);
        }

        var margin = axis.Extent is null ? (high - low) * Margin : 0;
        (_low, _high) = (low - margin, high + margin);
        Ticks = _logarithmic ? LogarithmicTicks() : LinearTicks(axis.Whole);
    }

    /// <summary>Values and their texts, from low to high.</summary>
    public IReadOnlyList<(double Value, string Text)> Ticks { get; }

    /// <summary>Whether a value can be drawn.</summary>
    public bool Covers(double value) => double.IsFinite(Place(value)) && Place(value) >= _low - 1e-9 && Place(value) <= _high + 1e-9;

    /// <summary>A value's coordinate, inside the axis.</summary>
    public double At(double value) => _start + ((Math.Clamp(Place(value), _low, _high) - _low) / (_high - _low) * (_end - _start));

    private (double Low, double High) ExtentOf(ChartAxis axis, IEnumerable<double> values)
    {
        double[] places = [.. values.Concat(axis.Includes is { } included ? [included] : []).Select(Place).Where(double.IsFinite)];
        return places.Length == 0 ? (0, 1) : (places.Min(), places.Max());
    }

    private double Place(double value) => !_logarithmic ? value : value > 0 ? Math.Log10(value) : double.NaN;

    private List<(double, string)> LinearTicks(bool whole)
    {
        var step = NiceStep((_high - _low) / WantedTicks);
        step = whole ? Math.Max(1, Math.Ceiling(step)) : step;
        var decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9));
        var ticks = new List<(double, string)>();
        for (var i = Math.Ceiling((_low / step) - 1e-9); i * step <= _high + (step * 1e-9); i++)
        {
            ticks.Add((i * step, Text(i * step, decimals)));
        }

        return ticks;
    }

    private List<(double, string)> LogarithmicTicks()
    {
        // Few powers of ten want 2 and 5 between them; many want gaps.
        var span = _high - _low;
        double[] factors = span < 1.5 ? [1, 2, 5] : [1];
        var skip = Math.Max(1, (int)Math.Ceiling(span / WantedTicks));
        var ticks = new List<(double, string)>();
        for (var power = (int)Math.Floor(_low); power <= _high; power++)
        {
            foreach (var factor in factors)
            {
                var value = factor * Math.Pow(10, power);
                if (power % skip == 0 && Covers(value))
                {
                    ticks.Add((value, value is >= 0.001 and < 100_000 ? Text(value, Math.Max(0, -power)) : Power(factor, power)));
                }
            }
        }

        return ticks.Count > 1 ? ticks : NarrowTicks();
    }

    // Between neighbouring powers of ten an axis is nearly linear.
    private List<(double, string)> NarrowTicks()
    {
        var (low, high) = (Math.Pow(10, _low), Math.Pow(10, _high));
        var step = NiceStep((high - low) / WantedTicks);
        var power = (int)Math.Floor(Math.Log10(high));
        var ticks = new List<(double, string)>();
        for (var i = Math.Ceiling((low / step) - 1e-9); i * step <= high * (1 + 1e-9); i++)
        {
            var decimals = Math.Max(0, power - (int)Math.Floor(Math.Log10(step) + 1e-9));
            ticks.Add((i * step, i * step is >= 0.001 and < 100_000 ? Text(i * step, Math.Max(0, decimals - power)) : $"{Text(i * step / Math.Pow(10, power), decimals)}·{Power(1, power)}"));
        }

        return ticks;
    }

    // 1, 2 or 5 times a power of ten.
    private static double NiceStep(double step)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return power * ((step / power) switch { <= 1 + 1e-9 => 1, <= 2 + 1e-9 => 2, <= 5 + 1e-9 => 5, _ => 10 });
    }

    private static string Text(double value, int decimals)
        => (value == 0 ? 0 : value).ToString(string.Create(CultureInfo.InvariantCulture, $"F{decimals}"), CultureInfo.InvariantCulture).Replace('-', '−');

    private static string Power(double factor, int power)
        => string.Concat(factor == 1 ? "" : $"{factor:0}·", "10", string.Concat(power.ToString(CultureInfo.InvariantCulture).Select(Superscript)));

    private static char Superscript(char digit) => digit == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit - '0'];
}
