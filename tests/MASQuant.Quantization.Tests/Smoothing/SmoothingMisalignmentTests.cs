using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Smoothing;

namespace MASQuant.Quantization.Tests.Smoothing;

public class SmoothingMisalignmentTests
{
    private static readonly ModalityMap TwoTexts = new([Modality.Text, Modality.Text, Modality.Vision, Modality.Vision]);

    [Fact]
    public void Theorem_1_follows_from_the_ranges()
    {
        // Text reaches 1 everywhere, vision 2, 4, 8 and 16.
        var x = new Matrix(4, 4, [1, 1, -1, 1, 0.5f, 1, 1, 1, 2, 4, -8, 16, 1, 1, 1, 1]);
        var facts = Facts(x, new Matrix(1, 4, [1, 1, 1, 1]), QuantizationScheme.W8A8);
        Assert.Equal(["Text", "Vision"], facts.Select(entry => entry.Modality));
        Assert.Equal([1, 1, 3, 4, 4], facts[0].RangeRatios);
        Assert.Equal([0, 0, 0, 0, 0], facts[1].RangeRatios);

        // α⁻² = 1/4, 1/16, 1/64, 1/256: the sum over 4·1/4.
        Assert.Equal(10 * Math.Log10((1 / 4.0) + (1 / 16.0) + (1 / 64.0) + (1 / 256.0)), facts[0].PredictedLoss, 1e-4);
        Assert.Equal(0, facts[1].PredictedLoss);

        // Weights of 1 leave √range: own ranges are 1, shared ones 1/√α.
        Assert.Equal(10 * Math.Log10(((1 / 2.0) + (1 / 4.0) + (1 / 8.0) + (1 / 16.0)) / 2), facts[0].PredictedSmoothedLoss, 1e-4);
        Assert.Equal(0, facts[1].PredictedSmoothedLoss);
        Assert.Equal(0, facts[1].MeasuredLoss);
    }

    [Theory]
    [InlineData("W8A8", 127)]
    [InlineData("W4A6", 31)]
    [InlineData("W4A4", 7)]
    public void The_loss_is_measured_as_the_definition_says(string schemeName, int limit)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        const int Inputs = 48;
        var random = new Random(3);
        var x = new Matrix(4, Inputs, [.. Enumerable.Range(0, 4 * Inputs).Select(i => (float)((random.NextDouble() - 0.5) * (i / Inputs < 2 ? 1 + (i % 5) : 1 << (i % 7))))]);
        var weight = new Matrix(2, Inputs, [.. Enumerable.Range(0, 2 * Inputs).Select(_ => (float)(random.NextDouble() - 0.5))]);
        var facts = Facts(x, weight, scheme);
        for (var m = 0; m < 2; m++)
        {
            var rows = new[] { 2 * m, (2 * m) + 1 };
            double Range(IEnumerable<int> of, int k) => of.Max(t => Math.Abs((double)x[t, k]));
            double Weight(int k) => Math.Max(Math.Abs((double)weight[0, k]), Math.Abs((double)weight[1, k]));
            var own = Enumerable.Range(0, Inputs).Select(k => Math.Sqrt(Range(rows, k) / Weight(k))).ToArray();
            var uniform = Enumerable.Range(0, Inputs).Select(k => Math.Sqrt(Range([0, 1, 2, 3], k) / Weight(k))).ToArray();
            var expected = rows.Average(t => Decibels(x.Row(t).ToArray(), uniform, limit) - Decibels(x.Row(t).ToArray(), own, limit));

            // FP32 moves a value by 2⁻²⁴ of itself; no code of these values lies so near to a boundary, and the noise, some 2⁻⁸ or more of a step, by less than 10⁻³ of itself.
            Assert.Equal(expected, facts[m].MeasuredLoss!.Value, 0.01);
        }
    }

    [Fact]
    public void Nothing_is_measured_without_quantized_activations_or_a_second_modality()
    {
        var x = new Matrix(4, 4, [.. Enumerable.Range(0, 16).Select(i => (float)i)]);
        var weight = new Matrix(1, 4, [1, 1, 1, 1]);
        Assert.All(Facts(x, weight, QuantizationScheme.W4A16), entry => Assert.Null(entry.MeasuredLoss));
        Assert.Empty(Facts(x, weight, QuantizationScheme.W8A8, ModalityMap.Text(4)));
    }

    private static Quantization.Facts.MisalignmentFacts[] Facts(Matrix x, Matrix weight, QuantizationScheme scheme, ModalityMap? modalities = null)
    {
        var ranges = new ActivationStatistics("test", x.Columns, keepsGram: false);
        ranges.Add(x, modalities ?? TwoTexts);
        var sample = new TokenSample(sequences: 1);
        sample.Add(x, modalities ?? TwoTexts);
        return [.. SmoothingMisalignment.Measure(InputGroup.Qkv, ranges, ChannelRange.Of([weight], x.Columns), sample, scheme)];
    }

    private static double Decibels(float[] row, double[] factor, int limit)
    {
        var smoothed = row.Select((value, k) => value / factor[k]).ToArray();
        var step = smoothed.Max(Math.Abs) / limit;
        return 10 * Math.Log10(smoothed.Sum(v => v * v) / smoothed.Sum(v => Math.Pow(v - (Math.Round(v / step) * step), 2)));
    }
}
