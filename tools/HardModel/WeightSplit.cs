namespace MASQuant.HardModel;

/// <summary>Weights as exact sums of BF16 weights.</summary>
internal static class WeightSplit
{
    // BF16 has 8 significant bits: multiples of a weight's last place up to this are exact.
    private const int MostUnits = 256;

    /// <summary>Splits a BF16 weight among copies of its input: random multiples of its last place, on average 0.7 times as long a vector as the weight alone, that sum to it.</summary>
    public static void Split(float weight, Span<float> parts, Draws draws)
    {
        var unit = MathF.ScaleB(1, Math.Max(weight == 0 ? int.MinValue : MathF.ILogB(weight) - 7, -133));
        var units = (int)(weight / unit);
        var (mean, spread) = (units / parts.Length, Math.Abs(units) * 3 / 8);
        int last;
        do
        {
            last = units;
            for (var i = 0; i < parts.Length - 1; i++)
            {
                var part = mean + draws.Whole(-spread, spread);
                last -= part;
                parts[i] = part * unit;
            }
        }
        while (Math.Abs(last) > MostUnits);
        parts[^1] = last * unit;
    }

    /// <summary>Four different multiples of 1/128, at most <paramref name="most"/> of them each, that sum to zero though no two do.</summary>
    public static void Cancel(int most, Span<float> weights, Draws draws)
    {
        int a, b, c, d;
        do
        {
            (a, b, c) = (draws.Whole(-most, most), draws.Whole(-most, most), draws.Whole(-most, most));
            d = -a - b - c;
        }
        while (Math.Abs(d) > most || a * b * c * d == 0 || a == b || a == c || a == d || b == c || b == d || c == d || a + b == 0 || a + c == 0 || b + c == 0);
        (weights[0], weights[1], weights[2], weights[3]) = (a / 128f, b / 128f, c / 128f, d / 128f);
    }
}
