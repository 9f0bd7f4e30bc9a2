using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Smoothing;

namespace MASQuant.Quantization.Tests.Smoothing;

public class ActivationClippingTests
{
    private const int Inputs = 64;

    [Fact]
    public void Each_modality_takes_the_share_with_the_least_error()
    {
        var (x, modalities) = Sample();
        var sample = new TokenSample(sequences: 1);
        sample.Add(x, modalities);
        var best = ActivationClipping.Best(sample, SmoothingFactors.Ones(Inputs), QuantizationScheme.W4A4);

        // Text has one value of 4 beside values of at most 1, whose steps are finer where it is clipped.
        // Vision has ±1 alone, which any narrower range would clip; audio has no tokens.
        Assert.True(Error(x.Row(0), best[0]) < Error(x.Row(0), 1));
        Assert.All(Enumerable.Range(10, 11), percent => Assert.True(Error(x.Row(0), best[0]) <= Error(x.Row(0), percent / 20f) * (1 + 1e-5)));
        Assert.Equal(1, best[1]);
        Assert.Equal(1, best[2]);
    }

    private static (Matrix X, ModalityMap Modalities) Sample()
    {
        var x = new Matrix(2, Inputs);
        for (var k = 0; k < Inputs; k++)
        {
            x[0, k] = k == 5 ? 4 : MathF.Sin(k);
            x[1, k] = k % 2 == 0 ? 1 : -1;
        }

        return (x, new ModalityMap([Modality.Text, Modality.Vision]));
    }

    private static double Error(ReadOnlySpan<float> row, float clip)
    {
        var largest = 0.0;
        foreach (var value in row)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        var (scale, error) = (largest * clip / 7, 0.0);
        foreach (var value in row)
        {
            error += Math.Pow(value - (Math.Clamp(Math.Round(value / scale), -7, 7) * scale), 2);
        }

        return error;
    }
}
