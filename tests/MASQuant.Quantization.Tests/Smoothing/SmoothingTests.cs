using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Tests.Numerics;

namespace MASQuant.Quantization.Tests.Smoothing;

public class SmoothingTests
{
    private static readonly Modality[] Sequence = [Modality.Text, Modality.Audio, Modality.Text];

    [Fact]
    public void Initial_factors_balance_each_modality_against_all_weights_of_the_group()
    {
        var statistics = Observe(new Matrix(3, 2, [-4, 1, 100, 25, 2, -9]));
        var weights = new[] { new Matrix(1, 2, [1, -1]), new Matrix(2, 2, [0.25f, 0.5f, -0.5f, 2.25f]) };
        var factors = SmoothingInitialization.ModalityAware(statistics, ChannelRange.Of(weights, 2), DeviatingChannels.Pick(statistics, -1));

        // sqrt(4/1), sqrt(9/2.25); sqrt(100/1), sqrt(25/2.25).
        AssertNear([2, 2], factors.Base);
        AssertNear([10, 10 / 3f], factors[Modality.Audio]);
        AssertNear([2, 2], factors[Modality.Vision]);
        Assert.Same(factors[Modality.Audio].Inverse, factors.Inverses[(int)Modality.Audio]);
    }

    [Fact]
    public void A_modality_follows_the_base_outside_its_deviating_channels()
    {
        // Audio's ranges are 100 and 25, text's 4 and 9: channel 0 is farther from text's, 25-fold against 2.8-fold.
        var statistics = Observe(new Matrix(3, 2, [-4, 1, 100, 25, 2, -9]));
        var factors = SmoothingInitialization.ModalityAware(statistics, [1, 1], DeviatingChannels.Pick(statistics, 1));

        // Channel 1 is shared, so its range is the larger one: sqrt(25).
        AssertNear([2, 5], factors.Base);
        AssertNear([10, 5], factors[Modality.Audio]);
    }

    [Theory]
    [InlineData(0.5, 5, 5)]
    [InlineData(1, 100, 25)]
    [InlineData(0, 0.25, 1)]
    [InlineData(0.25, 1.118034, 2.236068)]
    public void The_uniform_factor_migrates_the_range_of_all_modalities(double strength, float first, float second)
    {
        var statistics = Observe(new Matrix(3, 2, [-4, 1, 100, 25, 2, -9]));
        var factors = SmoothingInitialization.Uniform(statistics, [4, 1], strength);
        AssertNear([first, second], factors.Base);
        Assert.Same(factors.Base, factors[Modality.Vision]);
    }

    [Fact]
    public void Channels_that_never_moved_get_finite_factors()
    {
        var statistics = Observe(new Matrix(3, 2));
        var factors = SmoothingInitialization.ModalityAware(statistics, [0, 1e30f], DeviatingChannels.Pick(statistics, -1));
        AssertNear([1, SmoothingFactor.Smallest], factors.Base);
        Assert.All(factors.Base.Inverse, value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void The_factor_is_the_reciprocal_of_what_is_stored()
    {
        var random = RandomMatrices.Single(1, 1000, 1).Data;
        var factor = SmoothingFactor.FromValues([.. random.Select(value => MathF.Abs(value) + 1e-3f)]);
        Assert.All(factor.Values.Zip(factor.Inverse), pair => Assert.Equal(1 / pair.Second, pair.First));
        Assert.Equal(factor.Values, SmoothingFactor.FromInverse(factor.Inverse).Values);
        Assert.Throws<ArgumentOutOfRangeException>(() => SmoothingFactor.FromInverse([1, 0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => SmoothingFactor.FromInverse([float.NaN]));
    }

    [Fact]
    public void Smoothing_leaves_the_product_unchanged()
    {
        var x = RandomMatrices.Single(10, 24, 2);
        var weight = RandomMatrices.Single(7, 24, 3);
        var factor = SmoothingFactor.FromValues([.. Enumerable.Range(1, 24).Select(k => 0.3f * k)]);
        var expected = x.ToMathNet() * weight.ToMathNet().Transpose();
        var actual = factor.Smooth(x).ToMathNet() * factor.ScaleWeight(weight).ToMathNet().Transpose();

        // Each of 24 products carries three FP32 roundings.
        Assert.True((expected - actual).Enumerate().Max(Math.Abs) <= 24 * 3 * 6e-8);
    }

    [Fact]
    public void The_base_modality_needs_a_factor() => Assert.Throws<ArgumentException>(() => new SmoothingFactors(null, SmoothingFactor.Ones(2), null));

    private static ActivationStatistics Observe(Matrix x)
    {
        var statistics = new ActivationStatistics("test", x.Columns);
        statistics.Add(x, new ModalityMap(Sequence));
        return statistics;
    }

    private static void AssertNear(float[] expected, SmoothingFactor actual)
        => Assert.All(expected.Zip(actual.Values), pair => Assert.Equal(1, pair.Second / pair.First, 1e-6));
}
