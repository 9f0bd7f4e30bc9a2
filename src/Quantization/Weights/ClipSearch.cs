using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Weights;

/// <summary>Chooses how far a grid is shrunk below the largest weight: clipping a few weights can pay by rounding all others more finely.</summary>
internal static class ClipSearch
{
    private const int Steps = 40;
    private const float SmallestClip = 0.4f;

    /// <summary>The grid, among 41 from unclipped to 40 % of the range, with the least Σ_k d_k·(w_k − Q(w_k))². Of equals the widest.</summary>
    /// <param name="values">w.</param>
    /// <param name="importance">d, one weight per value.</param>
    /// <param name="scheme">Codes.</param>
    public static WeightGrid Best(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, QuantizationScheme scheme)
    {
        var (smallest, largest) = WeightGrid.Range(values);
        var best = WeightGrid.Of(smallest, largest, scheme);
        var least = Error(values, importance, best);
        for (var step = 1; step <= Steps; step++)
        {
            var candidate = WeightGrid.Of(smallest, largest, scheme, 1 - (step * (1 - SmallestClip) / Steps));
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
    /// <param name="importance">d, one weight per value.</param>
    /// <param name="grid">Codes and zero point.</param>
    /// <param name="unit">The first-level scale.</param>
    public static int BestMultiple(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, WeightGrid grid, float unit)
    {
        var (best, least) = (1, float.PositiveInfinity);
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

    private static float Error(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, WeightGrid grid)
        => RoundingError.Of(values, importance, grid.Scale, grid.Smallest - grid.ZeroPoint, grid.Largest - grid.ZeroPoint);
}
