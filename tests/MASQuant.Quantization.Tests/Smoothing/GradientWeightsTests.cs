using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Smoothing;

public class GradientWeightsTests
{
    private const int Hidden = 24;
    private const int Vocabulary = 40;
    private const double Epsilon = 1e-6;

    [Fact]
    public void The_gradient_of_the_answer_equals_finite_differences()
    {
        var (hidden, head, gain) = (RandomMatrices.Single(7, Hidden, 1), RandomMatrices.Single(Vocabulary, Hidden, 2), RandomMatrices.Single(1, Hidden, 3).Data);
        var sample = Sample(new ModalityMap([0, Modality.Vision, Modality.Vision, 0, 0, 0, 0]), [3, 39, 39, 7, 0, 21, 5], 4..6);
        var gradient = new AnswerLoss(new Norm(new NormDescription("norm", NormKind.RootMeanSquare, Hidden, (float)Epsilon), gain, []), head).Gradient(hidden, sample);
        for (var t = 0; t < 7; t++)
        {
            for (var j = 0; j < Hidden; j++)
            {
                const double H = 1e-5;
                var expected = (Loss(t, j, H) - Loss(t, j, -H)) / (2 * H);

                // Two answer tokens, predicted at 3 and 4. FP32 sums of 40 and 24 terms: relative 1e-5 of the largest gradient; finite differences err by about 1e-10.
                Assert.Equal(expected, gradient[t, j], 2e-5);
                Assert.True(t is 3 or 4 || gradient[t, j] == 0, "a token that predicts no part of the answer");
            }
        }

        double Loss(int row, int column, double step)
        {
            var sum = 0.0;
            foreach (var t in new[] { 3, 4 })
            {
                var x = Enumerable.Range(0, Hidden).Select(j => hidden[t, j] + (t == row && j == column ? step : 0)).ToArray();
                var norm = Math.Sqrt(x.Average(v => v * v) + Epsilon);
                var logits = Enumerable.Range(0, Vocabulary).Select(v => x.Select((value, j) => value / norm * gain[j] * head[v, j]).Sum()).ToArray();
                sum += Math.Log(logits.Sum(Math.Exp)) - logits[sample.InputIds[t + 1]];
            }

            return sum / 2;
        }
    }

    [Fact]
    public void An_exact_group_carries_gradients_back_by_the_transposed_weights()
    {
        Matrix[] weights = [RandomMatrices.Single(16, 24, 4), RandomMatrices.Single(8, 24, 5)];
        var group = new ExactGroup(weights, [RandomMatrices.Single(1, 16, 6).Data, []]);
        var x = RandomMatrices.Single(5, 24, 7);
        var outputs = group.Forward(x, ModalityMap.Text(5));
        var expected = x.ToMathNet() * weights[0].ToMathNet().Transpose();
        var bias = RandomMatrices.Single(1, 16, 6);
        Matrix[] upstream = [RandomMatrices.Single(5, 16, 8), RandomMatrices.Single(5, 8, 9)];
        var gradient = group.Backward(upstream);
        var back = (upstream[0].ToMathNet() * weights[0].ToMathNet()) + (upstream[1].ToMathNet() * weights[1].ToMathNet());
        for (var t = 0; t < 5; t++)
        {
            // Sums of at most 25 products of values below 1 in FP32: 25 · 25 · 2⁻²⁴.
            for (var n = 0; n < 16; n++)
            {
                Assert.Equal(expected[t, n] + bias[0, n], outputs[0][t, n], 4e-5);
            }

            for (var k = 0; k < 24; k++)
            {
                Assert.Equal(back[t, k], gradient[t, k], 4e-5);
            }
        }
    }

    [Fact]
    public void Media_weigh_least_where_no_attention_follows()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var decoder = ModelConfigReader.Read(checkpoint).Decoder();
        var random = RandomMatrices.Single(12, decoder.Config.HiddenSize, 10);
        var modalities = new ModalityMap([0, Modality.Audio, Modality.Audio, 0, Modality.Vision, Modality.Vision, 0, 0, 0, 0, 0, 0]);
        var rotary = new RotaryTable(decoder.Rotary);
        rotary.Set(PositionIds.Text(0, 12));
        var sequence = new CalibrationSequence
        {
            Modalities = modalities,
            InputIds = [.. Enumerable.Range(5, 12)],
            AnswerRange = 9..12,
            Rotary = rotary,
            Exact = random,
            Quantized = random,
        };
        var weights = GradientWeights.Measure(checkpoint, decoder, [sequence], CancellationToken.None);

        // The loss reads text alone after the last block; before it, all modalities through attention.
        Assert.Equal([3, 0.02, 0.02], weights[^1]);
        Assert.All(weights[..^1], block =>
        {
            Assert.True(block[1] > 0.02 && block[2] > 0.02);
            Assert.Equal(3, block.Sum(), 1e-9);
        });
    }

    private static CalibrationSequence Sample(ModalityMap modalities, int[] ids, Range answer) => new()
    {
        Modalities = modalities,
        InputIds = ids,
        AnswerRange = answer,
        Rotary = null!,
        Exact = new Matrix(0, 0),
        Quantized = new Matrix(0, 0),
    };
}
