using MASQuant.Diagnostics;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Calibration;

public class ActivationStatisticsTests
{
    private static readonly Modality[] Pattern = [Modality.Text, Modality.Vision, Modality.Vision, Modality.Text, Modality.Audio];

    [Fact]
    public void Statistics_are_those_of_each_modality_alone()
    {
        var statistics = new ActivationStatistics("test", 12);
        var samples = Enumerable.Range(0, 40).Select(i => RandomMatrices.Activations(i % 5 == 0 ? 25 : 15, 12, (ulong)i)).ToArray();
        foreach (var sample in samples)
        {
            statistics.Add(sample, Map(sample.Rows));
        }

        foreach (var modality in Enum.GetValues<Modality>())
        {
            var rows = samples.SelectMany(sample => Enumerable.Range(0, sample.Rows).Where(t => Pattern[t % 5] == modality).Select(t => sample.Row(t).ToArray())).ToArray();
            var x = Matrix<double>.Build.Dense(rows.Length, 12, (i, j) => rows[i][j]);
            Assert.Equal(rows.Length, statistics.TokenCount(modality));
            Assert.Equal(Enumerable.Range(0, 12).Select(k => rows.Max(row => MathF.Abs(row[k]))), statistics.AbsMax(modality).ToArray());
            AssertLower(x.TransposeThisAndMultiply(x), statistics.Gram(modality)!);
            Assert.Equal(rows.Length, statistics.Gram(modality)!.Tokens);
        }

        Assert.Equal(Enumerable.Range(0, 12).Select(k => samples.Max(sample => Enumerable.Range(0, sample.Rows).Max(t => MathF.Abs(sample[t, k])))), statistics.AbsMax());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void The_smoothed_gram_weighs_the_average_token_of_each_modality(int rotationBlock)
    {
        var statistics = new ActivationStatistics("test", 12);
        var sample = RandomMatrices.Activations(300, 12, 1);
        statistics.Add(sample, Map(300));
        var factors = new SmoothingFactors(
            SmoothingFactor.FromValues([.. Enumerable.Range(1, 12).Select(k => 1f / k)]),
            SmoothingFactor.FromValues([.. Enumerable.Range(1, 12).Select(k => 0.5f * k)]),
            SmoothingFactor.Ones(12)).Rotated(rotationBlock);
        var expected = Matrix<double>.Build.Dense(12, 12);
        foreach (var (modality, weight) in new[] { (Modality.Text, 2.0), (Modality.Vision, 0.5) })
        {
            var x = factors[modality].Smooth(ModalityRows.Select(sample, Map(300), modality));
            expected += RandomMatrices.Gram(x) * (weight / x.Rows);
        }

        // 1/s is multiplied in FP32 here and in FP64 there.
        AssertLower(expected, statistics.SmoothedGram(factors, [2, 0.5, 0]), 1e-6);
    }

    [Fact]
    public void A_sum_that_takes_a_gram_matrix_over_has_the_same_bits()
    {
        var statistics = new ActivationStatistics("test", 12);
        statistics.Add(RandomMatrices.Activations(300, 12, 1), Map(300));
        var factors = new SmoothingFactors(
            SmoothingFactor.FromValues([.. Enumerable.Range(1, 12).Select(k => 1f / k)]),
            SmoothingFactor.FromValues([.. Enumerable.Range(1, 12).Select(k => 0.5f * k)]),
            SmoothingFactor.Ones(12));
        var kept = (GramMatrix<double>)statistics.SmoothedGram(factors, [2, 0.5, 1]);
        var vision = statistics.Gram(Modality.Vision);
        var taken = (GramMatrix<double>)statistics.SmoothedGram(factors, [2, 0.5, 1], modality => modality == Modality.Vision);

        Assert.Equal(kept.Tokens, taken.Tokens);
        Assert.All(Enumerable.Range(0, 12), i => Assert.Equal(kept.Lower.Row(i)[..(i + 1)], taken.Lower.Row(i)[..(i + 1)]));
        Assert.Same(vision, statistics.Gram(Modality.Vision));
        Assert.Null(statistics.Gram(Modality.Text));
        Assert.Null(statistics.Gram(Modality.Audio));
    }

    [Fact]
    public void Values_that_are_not_finite_are_refused_by_name()
    {
        var sample = RandomMatrices.Single(5, 4, 2);
        sample[4, 2] = float.NaN;
        var error = Assert.Throws<MASQuantException>(() => new ActivationStatistics("model.layers.3 down", 4).Add(sample, Map(5)));
        Assert.Equal(DiagnosticCodes.ActivationNotFinite, error.Code);
        Assert.Contains("Audio activations that enter model.layers.3 down are not finite in channel 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Modalities_without_tokens_have_nothing()
    {
        var statistics = new ActivationStatistics("test", 4, keepsGram: false);
        statistics.Add(RandomMatrices.Single(3, 4, 3), ModalityMap.Text(3));
        Assert.Equal(0, statistics.TokenCount(Modality.Audio));
        Assert.True(statistics.AbsMax(Modality.Audio).IsEmpty);
        Assert.Null(statistics.Gram(Modality.Audio));
        Assert.Null(statistics.Gram(Modality.Text));
    }

    [Fact]
    public void Large_inputs_are_kept_in_single_precision()
    {
        Assert.IsType<GramMatrix<double>>(GramMatrix.Create(64));
        var x = RandomMatrices.Activations(600, 12, 4);
        var narrow = new GramMatrix<float>(12);
        narrow.Add(x);
        var wide = new GramMatrix<double>(12);
        wide.Add(x);
        for (var i = 0; i < 12; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                // 600 FP32 additions, in blocks of 256: fewer than 300 roundings of at most ε each, on sums bounded by the diagonal.
                Assert.True(Math.Abs(narrow.Lower[i, j] - wide.Lower[i, j]) <= 300 * 6e-8 * Math.Sqrt(wide.Lower[i, i] * wide.Lower[j, j]));
            }
        }
    }

    private static ModalityMap Map(int count) => new([.. Enumerable.Range(0, count).Select(t => Pattern[t % 5])]);

    // A partial sum of n FP32 products is off by at most n·2⁻²⁴ of the sum of their magnitudes, which the norm bounds.
    private static void AssertLower(Matrix<double> expected, GramMatrix gram, double more = 0)
    {
        var tolerance = (RealGemm.BlockDepth * Math.Pow(2, -24)) + more;
        var lower = ((GramMatrix<double>)gram).Lower;
        for (var i = 0; i < expected.RowCount; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                Assert.True(Math.Abs(expected[i, j] - lower[i, j]) <= tolerance * expected.FrobeniusNorm(), $"[{i}, {j}]: {expected[i, j]} and {lower[i, j]}");
            }
        }
    }
}
