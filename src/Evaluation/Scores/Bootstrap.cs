using MASQuant.Engine.Generation;

namespace MASQuant.Evaluation.Scores;

/// <summary>Efron's percentile bootstrap over samples (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). The same draws for every figure and model, so that differences are paired and reruns agree.</summary>
internal static class Bootstrap
{
    /// <summary>How often the samples are drawn again; 2.5 % of one more is a whole number, so that both ends are order statistics.</summary>
    public const int Resamples = 1999;

    private const int Beyond = (Resamples + 1) / 40;
    private const ulong Seed = 0x95;

    /// <summary>A model's figure and the reference's, over the same samples in the same order.</summary>
    public static Figure Compare(RatioOfSums own, RatioOfSums reference)
    {
        var count = own.Numerators.Length;
        int[] samples = [.. Enumerable.Range(0, count)];
        var (value, expected) = (own.Over(samples), reference.Over(samples));
        if (double.IsNaN(value) || double.IsNaN(expected))
        {
            var unknown = new Estimate(double.NaN, double.NaN, double.NaN);
            return new Figure(unknown, unknown, unknown);
        }

        var (values, expectations, differences) = (new double[Resamples], new double[Resamples], new double[Resamples]);
        var random = new RandomSequence(Seed);
        for (var r = 0; r < Resamples; r++)
        {
            for (var i = 0; i < count; i++)
            {
                samples[i] = (int)(random.Next() % (ulong)count);
            }

            (values[r], expectations[r]) = (own.Over(samples), reference.Over(samples));
            differences[r] = values[r] - expectations[r];
        }

        return new Figure(Interval(value, values), Interval(expected, expectations), Interval(value - expected, differences));
    }

    private static Estimate Interval(double value, double[] replicates)
    {
        Array.Sort(replicates);
        return new Estimate(value, replicates[Beyond - 1], replicates[^Beyond]);
    }
}
