using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Models.Qwen3VL;
using MASQuant.Quantization.Smoothing;

namespace MASQuant.Quantization.Tests.Smoothing;

public class BlockSimulationTests
{
    private const int Hidden = 32;
    private const int Heads = 2;
    private const int KeyValueHeads = 1;
    private const int HeadSize = 16;
    private const int Intermediate = 48;
    private const int Tokens = 9;
    private const int Block = 16;
    private const float Epsilon = 1e-6f;

    private static readonly TextConfig Config = new()
    {
        HiddenSize = Hidden,
        Layers = 1,
        IntermediateSize = Intermediate,
        AttentionHeads = Heads,
        KeyValueHeads = KeyValueHeads,
        VocabularySize = 1,
        RmsNormEpsilon = Epsilon,
        RopeTheta = 100,
        MropeSections = [2, 3, 3],
        TieWordEmbeddings = true,
        MaxPositions = Tokens,
    };

    public static TheoryData<string, int, int> Cases()
    {
        var cases = new TheoryData<string, int, int> { { "W8A8", 0, 0 }, { "W8A8", -1, 0 }, { "W4A8", -1, 0 }, { "W4A16", -1, 0 }, { "W8A8", -1, Block }, { "W4A16", -1, Block } };
        foreach (var scheme in QuantizationScheme.All)
        {
            cases.Add(scheme.ToString(), 3, 0);
            cases.Add(scheme.ToString(), 3, Block);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_equals_finite_differences_away_from_rounding_steps(string schemeName, int deviating, int rotationBlock)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        AssertGradient(scheme, deviating, rotationBlock, Config, Qwen25Decoder.Describe(Config));
    }

    // Heads that are together wider than the stream, normed, with positions that take turns, and rows that are added behind.
    [Theory]
    [InlineData("W8A8", 3, 0)]
    [InlineData("W4A4", 3, Block)]
    [InlineData("W4A16", -1, 0)]
    public void Gradients_pass_normed_heads_and_added_rows(string schemeName, int deviating, int rotationBlock)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var config = Config with { HeadSize = 24, MropeSections = [4, 4, 4] };
        AssertGradient(scheme, deviating, rotationBlock, config, Qwen3VLDecoder.Describe(config, deepstack: 1));
    }

    private static void AssertGradient(QuantizationScheme scheme, int deviating, int rotationBlock, TextConfig config, DecoderDescription decoder)
    {
        var random = new Random(7);
        var description = decoder.Blocks[0];
        int[] inputs = [.. description.Groups.Select(group => description.LinearsOf(group)[0].Inputs)];
        var modalities = new ModalityMap([Modality.Text, Modality.Vision, Modality.Vision, Modality.Text, Modality.Audio, Modality.Audio, Modality.Audio, Modality.Text, Modality.Text]);
        var weights = description.Groups.Select(group => description.LinearsOf(group).Select(linear => Gaussian(random, linear.Outputs, linear.Inputs, 1 / Math.Sqrt(linear.Inputs))).ToArray()).ToArray();
        var factors = inputs.Select(k => Factors(random, k, deviating)).ToArray();
        var gains = description.Norms.Select(norm => Gaussian(random, 1, norm.Size, 1).Data).ToArray();
        var (hidden, coefficients) = (Gaussian(random, Tokens, Hidden, 1), Gaussian(random, Tokens, Hidden, 1));
        var rotary = Rotary(decoder);
        var added = Gaussian(random, 2, Hidden, 1); // two tokens of vision

        var groups = factors.Select((f, g) => new GroupSimulation(weights[g], [.. weights[g].Select(_ => Array.Empty<float>())], f, scheme, rotationBlock: rotationBlock)).ToArray();
        var block = new BlockSimulation(description, [.. description.Norms.Zip(gains, (norm, gain) => new Norm(norm, gain, []))], groups);
        var output = block.Forward(hidden, modalities, rotary, new DeepstackRows([added]));
        var hiddenGradient = block.Backward(coefficients);

        var heads = gains.Where(gain => gain.Length != Hidden).ToArray();
        var oracle = new BlockOracle(scheme, Heads, KeyValueHeads, config.HeadSize, Epsilon)
        {
            Weights = [.. weights.SelectMany(w => w).Select(Double)],
            Gains = [.. gains.Except(heads).Select(g => g.Select(v => (double)v).ToArray())],
            HeadGains = [.. heads.Select(g => g.Select(v => (double)v).ToArray())],
            Added = description.Steps[^1] is DeepstackStep ? Double(AtVision(added, modalities)) : null,
            Modalities = modalities,
            Cosines = Angles(t => rotary.Cosines(t).ToArray()),
            Sines = Angles(t => rotary.Sines(t).ToArray()),
            RotationBlock = rotationBlock,
        };
        var owns = factors.Select(f => f.Deviating.Select((d, m) => m == 0 || d.Length == f.Inputs).ToArray()).ToArray();
        double Loss(double[][][] logarithms) => oracle.Loss(Double(hidden), logarithms, owns, Double(coefficients));
        var point = factors.Select(f => Effective(f, f.Logarithms.Select(l => l.Select(v => (double)v).ToArray()).ToArray())).ToArray();
        var loss = Loss(point); // records the rounding offsets

        // As the gradients below: FP32 sums beside FP64 ones.
        var terms = output.Data.Zip(coefficients.Data, (y, c) => (double)y * c).ToArray();
        Assert.InRange(Math.Abs(terms.Sum() - loss), 0, 1e3 * Math.Pow(2, -24) * Norm(output.Data.Select(v => (double)v)) * Norm(coefficients.Data.Select(v => (double)v)));

        AssertHiddenGradient(hiddenGradient, Gaussian(random, Tokens, Hidden, 1), (step, direction) => oracle.Loss(Add(hidden, step, direction), point, owns, Double(coefficients)));
        for (var group = 0; group < factors.Length; group++)
        {
            for (var m = 0; m < ModalityMap.ModalityCount; m++)
            {
                var direction = Enumerable.Range(0, inputs[group]).Select(_ => random.NextDouble() - 0.5).ToArray();
                double Along(double h)
                {
                    var moved = ((double[][][])point.Clone());
                    var raw = factors[group].Logarithms.Select(l => l.Select(v => (double)v).ToArray()).ToArray();
                    raw[m] = [.. raw[m].Select((v, k) => v + (h * direction[k]))];
                    moved[group] = Effective(factors[group], raw);
                    return Loss(moved);
                }

                const double H = 1e-5;
                var expected = (Along(H) - Along(-H)) / (2 * H);
                var gradient = factors[group].Gradients[m];
                var actual = gradient.Select((g, k) => g * direction[k]).Sum();

                // The central difference errs by h²·|f'''|/6 ≈ 1e-10 and by ε₆₄·|f|/h ≈ 1e-9; the FP32 gradient sums about 10³ products of size |g|
                // whose rounding errors add to less than 10³·2⁻²⁴·‖g‖·‖direction‖.
                var bound = 1e3 * Math.Pow(2, -24) * Norm(gradient.Select(g => (double)g)) * Norm(direction) + 1e-7;
                Assert.True(Math.Abs(expected - actual) <= bound, $"group {group}, modality {m}: finite differences {expected}, gradient {actual}, bound {bound}");
                Assert.True(deviating == 0 && m > 0 || expected != 0, "the direction must matter");
            }
        }
    }

    [Fact]
    public void Gradients_follow_the_order_of_the_description()
    {
        var random = new Random(5);
        var block = Qwen25Decoder.Describe(Config).Blocks[0];
        var cut = block.Steps.Index().First(step => step.Item is AddStep).Index + 1;
        var norms = block.Norms.Select(norm => new Norm(norm, Gaussian(random, 1, Hidden, 1).Data, [])).ToArray();
        var weights = block.Projections.Select(step => step.Linears.Select(linear => Gaussian(random, linear.Outputs, linear.Inputs, 1 / Math.Sqrt(linear.Inputs))).ToArray()).ToArray();
        var (hidden, coefficients) = (Gaussian(random, Tokens, Hidden, 1), Gaussian(random, Tokens, Hidden, 1));
        ExactGroup[] Groups(Range part) => [.. weights[part].Select(matrices => new ExactGroup(matrices, [.. matrices.Select(_ => Array.Empty<float>())]))];
        var attention = new BlockSimulation(new BlockDescription("", [.. block.Steps.Take(cut)]), norms[..1], Groups(..2));
        var feedForward = new BlockSimulation(new BlockDescription("", [.. block.Steps.Skip(cut)]), norms[1..], Groups(2..));
        var swapped = new BlockSimulation(new BlockDescription("", [.. block.Steps.Skip(cut), .. block.Steps.Take(cut)]), [norms[1], norms[0]], [.. Groups(2..), .. Groups(..2)]);
        var usual = new BlockSimulation(block, norms, Groups(..));
        var modalities = ModalityMap.Text(Tokens);

        var expected = attention.Forward(feedForward.Forward(hidden, modalities, Rotary()), modalities, Rotary());
        Assert.Equal(expected.Data, swapped.Forward(hidden, modalities, Rotary()).Data);
        Assert.NotEqual(expected.Data, usual.Forward(hidden, modalities, Rotary()).Data);
        Assert.Equal(feedForward.Backward(attention.Backward(coefficients)).Data, swapped.Backward(coefficients).Data);
        Assert.NotEqual(usual.Backward(coefficients).Data, swapped.Backward(coefficients).Data);
    }

    [Fact]
    public void A_step_without_a_known_gradient_is_refused_by_its_name()
    {
        var exception = Assert.Throws<NotSupportedException>(() => new BlockSimulation(new BlockDescription("", [new ActivateStep()]), [], []));
        Assert.Contains("'Activate'", exception.Message, StringComparison.Ordinal);
    }

    private static void AssertHiddenGradient(Matrix gradient, Matrix direction, Func<double, Matrix, double> loss)
    {
        const double H = 1e-5;
        var expected = (loss(H, direction) - loss(-H, direction)) / (2 * H);
        var actual = 0.0;
        for (var i = 0; i < gradient.Span.Length; i++)
        {
            actual += (double)gradient.Data[i] * direction.Data[i];
        }

        // As above.
        var bound = 1e3 * Math.Pow(2, -24) * Norm(gradient.Data.Select(g => (double)g)) * Norm(direction.Data.Select(d => (double)d)) + 1e-7;
        Assert.True(Math.Abs(expected - actual) <= bound, $"hidden: finite differences {expected}, gradient {actual}, bound {bound}");
    }

    private static double[,] Add(Matrix hidden, double step, Matrix direction)
    {
        var moved = Double(hidden);
        for (var i = 0; i < hidden.Span.Length; i++)
        {
            moved[i / hidden.Columns, i % hidden.Columns] += step * direction.Data[i];
        }

        return moved;
    }

    private static Matrix AtVision(Matrix rows, ModalityMap modalities)
    {
        var placed = new Matrix(modalities.Count, rows.Columns);
        new DeepstackRows([rows]).AddTo(placed, modalities, 0);
        return placed;
    }

    private static RotaryTable Rotary() => Rotary(Qwen25Decoder.Describe(Config));

    private static RotaryTable Rotary(DecoderDescription decoder)
    {
        var rotary = new RotaryTable(decoder.Rotary);
        rotary.Set(PositionIds.Text(3, Tokens));
        return rotary;
    }

    private static double[,] Angles(Func<int, float[]> row)
    {
        var angles = new double[Tokens, row(0).Length];
        for (var t = 0; t < Tokens; t++)
        {
            for (var j = 0; j < angles.GetLength(1); j++)
            {
                angles[t, j] = row(t)[j];
            }
        }

        return angles;
    }

    private static GroupFactors Factors(Random random, int inputs, int deviating)
    {
        var logarithms = Enumerable.Range(0, ModalityMap.ModalityCount).Select(_ => Gaussian(random, 1, inputs, 0.4).Data).ToArray();
        var owns = Enumerable.Range(0, ModalityMap.ModalityCount).Select(m => Enumerable.Range(0, inputs).Select(k => m == 0 || deviating < 0 || (k % 7 == m && k / 7 < deviating)).ToArray()).ToArray();
        return new GroupFactors(logarithms, owns);
    }

    private static double[][] Effective(GroupFactors factors, double[][] raw)
        => [.. raw.Select((_, m) => Enumerable.Range(0, factors.Inputs).Select(k => m == 0 || !factors.Deviating[m].Contains(k) ? raw[0][k] : raw[m][k]).ToArray())];

    private static Matrix Gaussian(Random random, int rows, int columns, double deviation)
    {
        var matrix = new Matrix(rows, columns);
        foreach (ref var value in matrix.Span)
        {
            value = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return matrix;
    }

    private static double[,] Double(Matrix matrix)
    {
        var result = new double[matrix.Rows, matrix.Columns];
        for (var i = 0; i < matrix.Rows; i++)
        {
            for (var j = 0; j < matrix.Columns; j++)
            {
                result[i, j] = matrix[i, j];
            }
        }

        return result;
    }

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(v => v * v));
}
