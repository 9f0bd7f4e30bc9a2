using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Tests.Numerics;

namespace MASQuant.Quantization.Tests.Smoothing;

/// <summary>Gradients of the steps of layers that carry a state, against differences of their definitions in FP64.</summary>
public sealed class StateGradientTests
{
    private const int Tokens = 70; // more than two stretches between states that are kept

    [Fact]
    public void Through_the_delta_rule_to_the_first_token()
    {
        var step = new DeltaRuleStep(KeyHeads: 2, ValueHeads: 4, KeySize: 9, ValueSize: 32, "A", "offset");
        float[] decay = [-1f, -2f, 0.3f, -1.5f], offset = [0.2f, -2f, -1f, -3f];
        var columns = (2 * step.KeyHeads * step.KeySize) + (step.ValueHeads * step.ValueSize);
        AssertGradients(new DeltaRuleSimulation(step, decay, offset), [Input(step.ValueHeads, 1), Input(step.ValueHeads, 2), Input(columns, 3)], values => DeltaRule(step, decay, offset, values));
    }

    [Fact]
    public void Through_the_convolution()
    {
        var step = new ConvolveStep("w", Channels: 5, Width: 4);
        var weights = Input(5, 4).Data[..20];
        AssertGradients(new ConvolutionSimulation(step, weights), [Input(5, 5)], values =>
            [Each(5, (t, c) => Silu(Enumerable.Range(0, 4).Where(tap => t - 3 + tap >= 0).Sum(tap => weights[(c * 4) + tap] * values[0][t - 3 + tap, c])))]);
    }

    [Fact]
    public void Through_the_gated_norm()
    {
        var gain = Input(6, 6).Data[..6];
        var norm = new Norm(new NormDescription("n", NormKind.RootMeanSquare, 6, 1e-3f), gain, []);
        AssertGradients(new GatedNormSimulation(norm), [Input(12, 7), Input(12, 8)], values => [Each(12, (t, c) =>
        {
            var squares = Enumerable.Range(c / 6 * 6, 6).Sum(i => values[0][t, i] * values[0][t, i]);
            return values[0][t, c] / Math.Sqrt((squares / 6) + 1e-3f) * gain[c % 6] * Silu(values[1][t, c]);
        })]);
    }

    [Fact]
    public void Through_gates_of_heads()
    {
        AssertGradients(new GateOutputSimulation(), [Input(6, 9), Input(6, 10)], values => [Each(6, (t, c) => values[0][t, c] / (1 + Math.Exp(-values[1][t, c])))]);
        AssertGradients(new SplitGatesSimulation(new SplitGatesStep(Heads: 2, HeadSize: 3)), [Input(12, 11), Input(2, 12), Input(2, 13)], values =>
            [Each(6, (t, c) => values[0][t, (c / 3 * 6) + (c % 3)]), values[1], values[2], Each(6, (t, c) => values[0][t, (c / 3 * 6) + 3 + (c % 3)])]);
    }

    // The difference errs by h² and by 2⁻⁵³/h, below 1e-7; a gradient's values are sums of at most T·(d_k + d_v) products in FP32, each rounded once, and the outputs likewise.
    private static void AssertGradients(SimulatedStep step, Matrix[] inputs, Func<double[][,], double[][,]> definition)
    {
        const double H = 1e-5, Bound = Tokens * 41 * (1.0 / (1 << 24));
        var run = new SimulatedRun(new Matrix(0, 0), ModalityMap.Text(Tokens), null!, DeepstackRows.None);
        run.Put([.. inputs.Select(input => input.Copy())]);
        step.Forward(run);
        var outputs = run.Values.ToArray();
        double[][,] point = [.. inputs.Select(Double)];
        var expected = definition(point);
        Assert.Equal(expected.Length, outputs.Length);
        foreach (var (output, exact) in outputs.Zip(expected))
        {
            var largest = exact.Cast<double>().Max(Math.Abs);
            Assert.All(output.Data.Zip(exact.Cast<double>()), pair => Assert.Equal(pair.Second, pair.First, Bound * largest));
        }

        Matrix[] upstream = [.. outputs.Select((output, i) => Input(output.Columns, 20 + (ulong)i))];
        run.Take(outputs.Length);
        run.Put([.. upstream.Select(gradient => gradient.Copy())]);
        step.Backward(run);
        for (var i = 0; i < inputs.Length; i++)
        {
            var (input, direction) = (i, Input(inputs[i].Columns, 30 + (ulong)i));
            double Loss(double h)
            {
                double[][,] moved = [.. point];
                moved[input] = Each(direction.Columns, (t, c) => point[input][t, c] + (h * direction[t, c]));
                return definition(moved).Zip(upstream).Sum(pair => pair.First.Cast<double>().Zip(pair.Second.Data).Sum(value => value.First * value.Second));
            }

            var difference = (Loss(H) - Loss(-H)) / (2 * H);
            var actual = run.Values[i].Data.Zip(direction.Data).Sum(pair => (double)pair.First * pair.Second);
            var bound = (Bound * Length(run.Values[i]) * Length(direction)) + 1e-7;
            Assert.True(Math.Abs(difference - actual) <= bound, $"input {i}: differences {difference}, gradient {actual}, bound {bound}");
            Assert.True(Math.Abs(difference) > bound, $"input {i}: the direction must matter.");
        }
    }

    private static double[][,] DeltaRule(DeltaRuleStep step, float[] decay, float[] offset, double[][,] values)
    {
        var (a, b, x) = (values[0], values[1], values[2]);
        var (output, shared) = (new double[Tokens, step.ValueHeads * step.ValueSize], step.ValueHeads / step.KeyHeads);
        for (var head = 0; head < step.ValueHeads; head++)
        {
            var state = new double[step.KeySize, step.ValueSize];
            for (var t = 0; t < Tokens; t++)
            {
                double[] query = Unit(x, t, head / shared * step.KeySize, step.KeySize), key = Unit(x, t, (step.KeyHeads + (head / shared)) * step.KeySize, step.KeySize);
                var (stays, strength) = (Math.Exp(-Math.Exp(decay[head]) * Math.Log(1 + Math.Exp(a[t, head] + offset[head]))), 1 / (1 + Math.Exp(-b[t, head])));
                for (var j = 0; j < step.ValueSize; j++)
                {
                    var column = (head * step.ValueSize) + j;
                    var read = 0.0;
                    for (var i = 0; i < step.KeySize; i++)
                    {
                        read += stays * state[i, j] * key[i];
                    }

                    var written = strength * (x[t, (2 * step.KeyHeads * step.KeySize) + column] - read);
                    for (var i = 0; i < step.KeySize; i++)
                    {
                        state[i, j] = (stays * state[i, j]) + (key[i] * written);
                        output[t, column] += state[i, j] * query[i] / Math.Sqrt(step.KeySize);
                    }
                }
            }
        }

        return [output];
    }

    private static double[] Unit(double[,] x, int t, int first, int count)
    {
        var length = Math.Sqrt(Enumerable.Range(first, count).Sum(i => x[t, i] * x[t, i]) + DeltaRuleStep.LengthEpsilon);
        return [.. Enumerable.Range(first, count).Select(i => x[t, i] / length)];
    }

    private static double Silu(double x) => x / (1 + Math.Exp(-x));

    private static double[,] Each(int columns, Func<int, int, double> value)
    {
        var output = new double[Tokens, columns];
        for (var t = 0; t < Tokens; t++)
        {
            for (var c = 0; c < columns; c++)
            {
                output[t, c] = value(t, c);
            }
        }

        return output;
    }

    private static Matrix Input(int columns, ulong seed) => RandomMatrices.Single(Tokens, columns, seed);

    private static double[,] Double(Matrix x) => Each(x.Columns, (t, c) => x[t, c]);

    private static double Length(Matrix x) => Math.Sqrt(x.Data.Sum(value => (double)value * value));
}
