namespace MASQuant.Quantization.Numerics;

/// <summary>exp(−Σ p log p) with p = σ/Σσ (Roy and Vetterli, 2007): how many dimensions a matrix really uses.</summary>
public static class EffectiveRank
{
    /// <summary>The effective rank of singular values; 0 when all are zero.</summary>
    public static double Of(ReadOnlySpan<double> singularValues)
    {
        var total = 0.0;
        foreach (var value in singularValues)
        {
            total += value;
        }

        if (!(total > 0))
        {
            return 0;
        }

        var entropy = 0.0;
        foreach (var value in singularValues)
        {
            var p = value / total;
            entropy -= p > 0 ? p * Elementary.Log(p) : 0;
        }

        return Elementary.Exp(entropy);
    }

    /// <summary>The effective rank of values that each stand for <paramref name="counts"/>[i] singular values; 0 when all are zero.</summary>
    internal static double Of(ReadOnlySpan<double> values, ReadOnlySpan<double> counts)
    {
        double total = 0, weighted = 0;
        for (var i = 0; i < values.Length; i++)
        {
            total += counts[i] * values[i];
            weighted += values[i] > 0 ? counts[i] * values[i] * Elementary.Log(values[i]) : 0;
        }

        return total > 0 ? Elementary.Exp(Elementary.Log(total) - (weighted / total)) : 0;
    }
}
