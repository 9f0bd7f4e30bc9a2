using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Tests.Weights;

public class DampingTests
{
    private const int Inputs = 96;

    /// <summary>Feedback that is damped much more is hardly feedback: the error on samples that calibrated nothing comes near that of rounding. Damped much less, it follows the noise of a few samples.</summary>
    [Fact]
    public void The_default_damping_beats_much_more_and_much_less()
    {
        var mixing = RandomMatrices.Real(Inputs, Inputs, 1).ToMathNet();
        Matrix Sample(int tokens, ulong seed) => RandomMatrices.FromMathNet(RandomMatrices.Real(tokens, Inputs / 4, seed).ToMathNet() * mixing.SubMatrix(0, Inputs / 4, 0, Inputs)
            + (0.1 * RandomMatrices.Real(tokens, Inputs, seed + 1).ToMathNet())).ToMatrix();
        var (few, others) = (Sample(80, 2), Sample(2000, 4));
        var gram = GramMatrix.Create(Inputs);
        gram.Add(few);
        var weight = RandomMatrices.Single(64, Inputs, 6);

        double Error(GptqOptions options)
        {
            var difference = GptqQuantizer.Create(gram.Copy(), options).Quantize(weight, QuantizationScheme.W4A8).Dequantize().ToMathNet() - weight.ToMathNet();
            return (others.ToMathNet() * difference.Transpose()).FrobeniusNorm();
        }

        var error = Error(new GptqOptions());
        Assert.True(error < 0.97 * Error(new GptqOptions { Damping = 30 * new GptqOptions().Damping }), $"{error}");
        Assert.True(error < 0.97 * Error(new GptqOptions { Damping = new GptqOptions().Damping / 300 }), $"{error}");
    }
}
