using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>The scalar backend against the method's formulas in exact integers and FP64.</summary>
public sealed class ScalarGemmBackendTests
{
    private static readonly ScalarGemmBackend Backend = new();

    public static TheoryData<string> Schemes => new(QuantizationScheme.All.Select(scheme => scheme.ToString()));

    [Theory]
    [InlineData(8)]
    [InlineData(6)]
    public void A_token_is_divided_by_its_factor_and_rounded_half_to_even(int bits)
    {
        // absmax after smoothing equals qmax, so that the code is the rounded value itself.
        var scheme = new QuantizationScheme(4, bits);
        var x = new Matrix(1, 8, [2 * scheme.ActivationMax, 1, 3, 5, -1, -3, 0.9f, -2 * scheme.ActivationMax]);
        float[] half = [.. Enumerable.Repeat(0.5f, 8)];
        var tokens = new PreparedTokens();
        Backend.Prepare(x, ModalityMap.Text(1), new InputTransform([half, [], []]), scheme, tokens);
        Assert.Equal([(sbyte)scheme.ActivationMax, 0, 2, 2, 0, -2, 0, (sbyte)-scheme.ActivationMax], tokens.Codes[..8]);
        Assert.Equal(1f, tokens.Scales[0]);
        Assert.Equal(1.5f, tokens.Smoothed[0, 2]);
    }

    [Fact]
    public void What_lies_beyond_a_clip_becomes_the_last_code()
    {
        var x = new Matrix(2, 8, [14, -14, 7, 6, 3, 0, 1, -1, 14, -14, 7, 6, 3, 0, 1, -1]);
        var tokens = new PreparedTokens();
        Backend.Prepare(x, new ModalityMap([Modality.Text, Modality.Vision]), InputTransform.None with { Clips = [0.5f, 1, 1] }, new QuantizationScheme(4, 4), tokens);
        Assert.Equal(1f, tokens.Scales[0]);
        Assert.Equal([(sbyte)7, -7, 7, 6, 3, 0, 1, -1], tokens.Codes[..8]);
        Assert.Equal(2f, tokens.Scales[1]);
        Assert.Equal([(sbyte)7, -7, 4, 3, 2, 0, 0, 0], tokens.Codes[8..16]);
        Assert.Equal(14f, tokens.Smoothed[0, 0]);
    }

    [Fact]
    public void The_rotation_follows_the_factor()
    {
        // (2, 1)/√2 · ((1, 1), (1, −1)) of x = (1, 1) and 1/s = (2, 1).
        var x = new Matrix(1, 8, [1, 1, 0, 0, 0, 0, 0, 0]);
        var tokens = new PreparedTokens();
        Backend.Prepare(x, ModalityMap.Text(1), new InputTransform([[2, 1, 1, 1, 1, 1, 1, 1], [], []], 2), QuantizationScheme.W4A16, tokens);
        var root = (float)(1 / Math.Sqrt(2));
        Assert.Equal([3 * root, root, 0, 0], tokens.Smoothed.Row(0)[..4].ToArray());
    }

    [Fact]
    public void Each_token_meets_the_factor_of_its_modality()
    {
        var x = new Matrix(3, 8);
        x.Span.Fill(1f);
        float[][] factors = [[], [.. Enumerable.Repeat(2f, 8)], [.. Enumerable.Repeat(3f, 8)]];
        var tokens = new PreparedTokens();
        Backend.Prepare(x, new ModalityMap([Modality.Audio, Modality.Text, Modality.Vision]), new InputTransform(factors), QuantizationScheme.W4A16, tokens);
        Assert.Equal([3f, 1f, 2f], new[] { tokens.Smoothed[0, 7], tokens.Smoothed[1, 0], tokens.Smoothed[2, 3] });
    }

    [Theory]
    [InlineData(0f, 0f)]
    [InlineData(1e-38f, 0f)]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(float.NegativeInfinity, float.NaN)]
    public void Tokens_without_a_scale_have_no_codes(float value, float scale)
    {
        var x = new Matrix(1, 8);
        x.Data[5] = value;
        var tokens = new PreparedTokens();
        Backend.Prepare(x, ModalityMap.Text(1), InputTransform.None, QuantizationScheme.W8A8, tokens);
        Assert.Equal(new sbyte[8], tokens.Codes[..8]);
        Assert.Equal(scale, tokens.Scales[0]);
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void The_output_is_the_methods_formula(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        AssertFormula(new QuantizedProblem(7, 32, 256, scheme));
        if (scheme is { WeightBits: 4, QuantizesActivations: true })
        {
            AssertFormula(new QuantizedProblem(7, 32, 256, scheme, groupScales: true));
        }
    }

    private static void AssertFormula(QuantizedProblem problem)
    {
        var scheme = problem.Scheme;
        var tokens = new PreparedTokens();
        Backend.Prepare(problem.X, problem.Modalities, problem.Input, scheme, tokens);
        var y = problem.Run(Backend);
        for (var m = 0; m < 7; m++)
        {
            for (var n = 0; n < 32; n++)
            {
                var (expected, magnitude) = Formula(problem, tokens, m, n);

                // FMA chains of at most 512 + 8 terms and a handful of single roundings: γ = 600 · 2⁻²⁴ of the sum of magnitudes.
                Assert.InRange(y[(m * 32) + n], expected - (600 * Math.Pow(2, -24) * magnitude), expected + (600 * Math.Pow(2, -24) * magnitude));
            }
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        var problem = new QuantizedProblem(2, 16, 8, QuantizationScheme.W8A8);
        var tokens = new PreparedTokens();
        Assert.Throws<ArgumentException>(() => Backend.Prepare(problem.X, ModalityMap.Text(3), problem.Input, problem.Scheme, tokens));
        Assert.Throws<ArgumentException>(() => Backend.Prepare(problem.X, problem.Modalities, new InputTransform([[], [], new float[7]]), problem.Scheme, tokens));
        Backend.Prepare(problem.X, problem.Modalities, problem.Input, problem.Scheme, tokens);
        Assert.Throws<ArgumentException>(() => Backend.Multiply(tokens, problem.Weight, new Matrix(2, 15)));
        Assert.Throws<ArgumentException>(() => Backend.Multiply(tokens, new QuantizedProblem(2, 16, 16, problem.Scheme).Weight, new Matrix(2, 16)));
    }

    [Fact]
    public void More_inputs_than_a_32_bit_sum_holds_are_refused()
    {
        // 132 104 · 127 · 128 is the last multiple below 2³¹.
        PackingLayout.CheckShape("layer", 16, 132_104, QuantizationScheme.W8A8);
        var error = Assert.Throws<MASQuantException>(() => PackingLayout.CheckShape("layer", 16, 132_112, QuantizationScheme.W8A8));
        Assert.Equal(DiagnosticCodes.ShapeNotPackable, error.Code);
    }

    private static (double Value, double Magnitude) Formula(QuantizedProblem problem, PreparedTokens tokens, int m, int n)
    {
        var weight = problem.Weight;
        double value = 0, magnitude = 0;
        void Add(double term) => (value, magnitude) = (value + term, magnitude + Math.Abs(term));
        for (var k = 0; k < weight.Inputs; k++)
        {
            var code = problem.RowMajorCodes[(n * weight.Inputs) + k];
            if (problem.Scheme.QuantizesActivations)
            {
                var second = problem.RowMajorGroupScales.Length > 0 ? problem.RowMajorGroupScales[((n * weight.Inputs) + k) / 128] : 1;
                Add((double)tokens.Codes[(m * weight.Inputs) + k] * code * second * tokens.Scales[m] * weight.Scales.Span[n]);
            }
            else
            {
                var group = (n * weight.Inputs / 128) + (k / 128);
                Add((double)tokens.Smoothed[m, k] * (code - weight.ZeroPoints.Span[group]) * weight.Scales.Span[group]);
            }
        }

        Add(weight.Bias.Span[n]);
        if (weight.Patches[(int)problem.Modalities[m]] is { } patch)
        {
            for (var r = 0; r < patch.Rank; r++)
            {
                for (var k = 0; k < weight.Inputs; k++)
                {
                    Add((double)tokens.Smoothed[m, k] * patch.L1[k, r] * patch.L2[r, n]);
                }
            }
        }

        return (value, magnitude);
    }
}
