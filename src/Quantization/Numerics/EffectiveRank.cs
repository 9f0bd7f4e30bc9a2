namespace MASQuant.Numerics;

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
            entropy -= p > 0 ? p * Math.Log(p) : 0;
        }

        return Math.Exp(entropy);
    }
}
