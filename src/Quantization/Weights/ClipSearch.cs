using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Weights;

/// <summary>Chooses how far a grid is shrunk below the largest weight: clipping a few weights can pay by rounding all others more finely.</summary>
internal static class ClipSearch
{
    private const int Steps = 40;
    private const float SmallestClip = 0.4f;

    /// <summary>The grid, among 41 from unclipped to 40 % of the range, with the least Σ_k d_k·(w_k − Q(w_k))². Of equals the widest.</summary>
    /// <param name="values">w.</param>
    /// <param name="importance">d, one weight per value; empty for equal ones.</param>
    /// <param name="scheme">Codes.</param>
    public static WeightGrid Best(ReadOnlySpan<float> values, ReadOnlySpan<double> importance, QuantizationScheme scheme)
    {
        var best = WeightGrid.Fit(values, scheme);
        var least = Error(values, importance, best);
        for (var step = 1; step <= Steps; step++)
        {
            var candidate = WeightGrid.Fit(values, scheme, 1 - (step * (1 - SmallestClip) / Steps));
            var error = Error(values, importance, candidate);
            if (error < least)
            {
                (best, least) = (candidate, error);
            }
        }

        return best;
    }

    /// <summary>The m in 1…<see cref="PackingLayout.MaxGroupScale"/> for which a scale of m·<paramref name="unit"/> has the least error. Of equals the least.</summary>
    /// <param name="values">w.</param>
    /// <param name="importance">d, one weight per value; empty for equal ones.</param>
    /// <param name="grid">Codes and zero point.</param>
    /// <param name="unit">The first-level scale.</param>
    public static int BestMultiple(ReadOnlySpan<float> values, ReadOnlySpan<double> importance, WeightGrid grid, float unit)
    {
        var (best, least) = (1, double.PositiveInfinity);
        for (var multiple = 1; multiple <= PackingLayout.MaxGroupScale; multiple++)
        {
            var error = Error(values, importance, grid with { Scale = unit * multiple });
            if (error < least)
            {
                (best, least) = (multiple, error);
            }
        }

        return best;
    }

    private static double Error(ReadOnlySpan<float> values, ReadOnlySpan<double> importance, WeightGrid grid)
    {
        var sum = 0.0;
        for (var k = 0; k < values.Length; k++)
        {
            double difference = values[k] - grid.Value(grid.Code(values[k]));
            sum += (importance.IsEmpty ? 1 : importance[k]) * difference * difference;
        }

        return sum;
    }
}
