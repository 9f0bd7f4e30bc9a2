using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Facts;

/// <summary>Takes a bounded number of points off a spectrum, dense where it falls: their places grow geometrically.</summary>
public static class SpectrumSampling
{
    /// <summary>The most points of a spectrum.</summary>
    public const int MaxPoints = 24;

    private const int Digits = 4;

    /// <summary>The places, from 0 (the largest value) to <paramref name="count"/> − 1, ascending.</summary>
    public static int[] Places(int count)
        => [.. Enumerable.Range(0, MaxPoints).Select(i => (int)Math.Round(Elementary.Pow(count, i / (MaxPoints - 1.0))) - 1).Where(place => place >= 0 && place < count).Distinct()];

    /// <summary>The values at <see cref="Places"/>, to four digits.</summary>
    public static double[] Sample(Spectrum spectrum) => [.. Places(spectrum.Count).Select(place => Significant(spectrum.At(place)))];

    /// <summary>Rounds to four digits, whatever the magnitude.</summary>
    private static double Significant(double value)
    {
        if (value == 0 || !double.IsFinite(value))
        {
            return 0;
        }

        // Decimal digits by way of text: powers of ten are not exact in binary.
        var text = value.ToString($"E{Digits - 1}", System.Globalization.CultureInfo.InvariantCulture);
        return double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }
}
