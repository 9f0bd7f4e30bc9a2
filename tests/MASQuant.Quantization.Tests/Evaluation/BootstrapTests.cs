using MASQuant.Evaluation.Scores;

namespace MASQuant.Quantization.Tests.Evaluation;

public class BootstrapTests
{
    [Theory]
    [InlineData(100, 50)]
    [InlineData(60, 54)]
    [InlineData(150, 12)]
    public void The_interval_of_a_proportion_has_the_binomials_quantiles(int samples, int hits)
    {
        var proportion = new RatioOfSums([.. Enumerable.Range(0, samples).Select(i => i < hits ? 1.0 : 0.0)], Ones(samples));
        var estimate = Bootstrap.Compare(proportion, proportion).Own;

        // Resampling n zeros and ones counts Binomial(n, p). The share of R resamples below its quantile q is off by √(q(1 − q)/R); five of these
        // are allowed; in the first case a 90 % interval lies outside.
        Assert.Equal((double)hits / samples, estimate.Value);
        var slack = 5 * Math.Sqrt(0.025 * 0.975 / Bootstrap.Resamples);
        Assert.InRange(estimate.Low * samples, Quantile(samples, estimate.Value, 0.025 - slack) - 1e-9, Quantile(samples, estimate.Value, 0.025 + slack) + 1e-9);
        Assert.InRange(estimate.High * samples, Quantile(samples, estimate.Value, 0.975 - slack) - 1e-9, Quantile(samples, estimate.Value, 0.975 + slack) + 1e-9);
    }

    [Fact]
    public void A_model_differs_from_itself_by_nothing()
    {
        var figure = Perplexity(shift: 0);
        Assert.Equal(new Estimate(0, 0, 0), Bootstrap.Compare(figure, figure).Difference);
        Assert.True(Bootstrap.Compare(figure, figure).WithinReference);
    }

    [Fact]
    public void Differences_are_paired()
    {
        // Integers over a power of two are exact, so a constant difference stays constant only when both sides draw the same samples.
        var reference = new RatioOfSums([.. Enumerable.Range(0, 64).Select(i => (double)(i * i % 97))], Ones(64));
        var shifted = reference with { Numerators = [.. reference.Numerators.Select(value => value + 3)] };
        var figure = Bootstrap.Compare(shifted, reference);
        Assert.Equal(new Estimate(3, 3, 3), figure.Difference);
        Assert.True(figure.Reference.High - figure.Reference.Low > 3);
    }

    [Fact]
    public void Reruns_give_the_same_bits() => Assert.Equal(Bootstrap.Compare(Perplexity(1), Perplexity(0)), Bootstrap.Compare(Perplexity(1), Perplexity(0)));

    [Fact]
    public void Tokens_weigh_not_samples()
    {
        // exp((2 + 4) / (1 + 3)).
        var figure = new RatioOfSums([2, 4], [1, 3], Exponential: true);
        Assert.Equal(Math.Exp(1.5), Bootstrap.Compare(figure, figure).Value);
    }

    [Fact]
    public void What_was_not_measured_has_no_interval()
    {
        var nothing = new RatioOfSums([0, 0], [0, 0]);
        Assert.Equal(new Estimate(double.NaN, double.NaN, double.NaN), Bootstrap.Compare(nothing, nothing).Own);
    }

    private static RatioOfSums Perplexity(double shift)
        => new([.. Enumerable.Range(0, 40).Select(i => shift + (i * 0.37 % 2.3))], [.. Enumerable.Range(0, 40).Select(i => 1.0 + (i % 5))], Exponential: true);

    private static double[] Ones(int count) => [.. Enumerable.Repeat(1.0, count)];

    // The smallest k whose cumulative probability reaches q.
    private static int Quantile(int n, double p, double q)
    {
        var probability = Math.Pow(1 - p, n);
        var cumulative = probability;
        var k = 0;
        while (cumulative < q)
        {
            probability *= (double)(n - k) / (k + 1) * p / (1 - p);
            k++;
            cumulative += probability;
        }

        return k;
    }
}
