using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Quantization.Weights;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Weights;

public class WeightQuantizerTests
{
    public static TheoryData<string> Schemes => [.. QuantizationScheme.All.Select(scheme => scheme.ToString())];

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Rounding_errs_by_at_most_half_a_step(string name)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var weight = RandomMatrices.Single(16, 256, 1);
        var codes = new RtnQuantizer().Quantize(weight, scheme);
        var values = codes.Dequantize();
        var groupSize = scheme.QuantizesActivations ? 256 : 128;
        Assert.Equal(16 * 256 / groupSize, codes.Scales.Length);
        for (var i = 0; i < values.Span.Length; i++)
        {
            // Half a step, and the FP32 rounding of scale and product. An asymmetric grid's rounded zero point can cost another half step at the ends.
            var step = codes.Scales[i / groupSize];
            Assert.True(Math.Abs(values.Data[i] - weight.Data[i]) <= (step * (scheme.QuantizesActivations ? 0.5 : 1)) + 1e-6);
        }
    }

    [Fact]
    public void Symmetric_scales_are_the_largest_weight_over_the_largest_code()
    {
        var weight = new Matrix(2, 4, [0.5f, -7f, 3.4f, 0f, 0f, 0f, 0f, 0f]);
        var codes = new RtnQuantizer().Quantize(weight, QuantizationScheme.W4A8);
        Assert.Equal([1f, 1f], codes.Scales);

        // 0.5 lies half way and goes to the even code.
        Assert.Equal(new sbyte[] { 0, -7, 3, 0, 0, 0, 0, 0 }, codes.Codes);
        Assert.Empty(codes.ZeroPoints);
    }

    [Fact]
    public void Asymmetric_groups_span_their_own_range()
    {
        var weight = new Matrix(1, 256);
        for (var k = 0; k < 256; k++)
        {
            weight.Data[k] = k < 128 ? (k % 16) - 5 : -(k % 16) / 4f;
        }

        var codes = new RtnQuantizer().Quantize(weight, QuantizationScheme.W4A16);
        Assert.Equal([1f, 0.25f], codes.Scales);
        Assert.Equal(new byte[] { 5, 15 }, codes.ZeroPoints);
        Assert.Equal(weight.Data, codes.Dequantize().Data);
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Packed_weights_hold_the_same_codes(string name)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var codes = new RtnQuantizer().Quantize(RandomMatrices.Single(32, 256, 2), scheme);
        var packed = codes.Pack();
        Assert.Equal(codes.Codes, PackingLayout.Unpack(packed.Codes.Span, 32, 256, scheme.WeightBits, unsigned: !scheme.QuantizesActivations));
        Assert.Equal(codes.Scales, packed.Scales.ToArray());
        Assert.Equal(codes.ZeroPoints, packed.ZeroPoints.ToArray());
    }

    [Fact]
    public void Clip_search_never_errs_more_and_helps_outliers()
    {
        var weight = RandomMatrices.Single(16, 128, 3);
        for (var n = 0; n < 16; n++)
        {
            weight[n, n] = 2.5f;
        }

        foreach (var scheme in QuantizationScheme.All)
        {
            var plain = Noise(weight, new RtnQuantizer().Quantize(weight, scheme));
            var searched = Noise(weight, new RtnQuantizer(searchClip: true).Quantize(weight, scheme));
            Assert.True(searched <= plain, $"{scheme}: {searched} > {plain}");
            if (scheme.WeightBits == 4)
            {
                Assert.True(searched < plain);
            }
        }
    }

    [Fact]
    public void A_searched_grid_uses_the_last_negative_code_and_errs_less_for_it()
    {
        // Two loud weights below, none above, all multiples of 1/8: at that scale, and only there, every one is a code.
        var weight = new Matrix(1, 16);
        float[] values = [-1, -1, 0.25f, -0.5f, 0.125f, 0.375f, -0.625f, 0.75f, -0.125f, 0.5f, -0.25f, 0.625f, -0.375f, 0.25f, 0.125f, -0.5f];
        values.CopyTo(weight.Span);

        var codes = new RtnQuantizer(searchClip: true).Quantize(weight, QuantizationScheme.W4A8);

        Assert.Equal(-8, codes.Codes.Min());
        double SquaredError(Func<float, double> rounded) => values.Sum(value => Math.Pow(value - rounded(value), 2));
        var symmetric = Enumerable.Range(1, 1000).Min(step => SquaredError(value => Math.Clamp(Math.Round(value * 7000 / step), -7, 7) * step / 7000));
        Assert.True(SquaredError(value => codes.Codes[Array.IndexOf(values, value)] * (double)codes.Scales[0]) < symmetric / 2);
    }

    [Fact]
    public void Weights_that_are_not_finite_are_refused()
    {
        var weight = new Matrix(2, 8);
        weight[1, 3] = float.NaN;
        var error = Assert.Throws<MASQuantException>(() => new RtnQuantizer().Quantize(weight, QuantizationScheme.W8A8));
        Assert.Equal(DiagnosticCodes.WeightNotFinite, error.Code);
        Assert.Contains("[1, 3]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new RtnQuantizer().Quantize(new Matrix(16, 130), QuantizationScheme.W4A16));
    }

    [Theory]
    [InlineData("W4A8", 40)]
    [InlineData("W8A8", 7)]
    [InlineData("W4A16", 128)]
    public void Error_feedback_equals_the_textbook_algorithm(string name, int block)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var x = RandomMatrices.Activations(400, 256, 4);
        var weight = RandomMatrices.Single(16, 256, 5);
        var codes = GptqQuantizer.Create(Gram(x), new GptqOptions { Damping = 0.01, Block = block, EnergyOrder = false, SearchClip = false }).Quantize(weight, scheme);
        var expected = Textbook(weight, RandomMatrices.Gram(x, damping: 0.01), new RtnQuantizer().Quantize(weight, scheme));

        // The two orders of summation differ by rounding, which may turn a tie; nothing else may differ.
        Assert.True(codes.Codes.Zip(expected).Count(pair => pair.First != pair.Second) <= 2);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Error_feedback_lowers_the_output_error(bool energyOrder, bool searchClip)
    {
        var x = RandomMatrices.Activations(300, 128, 6);
        var weight = RandomMatrices.Single(32, 128, 7);
        var plain = OutputNoise(x, weight, new RtnQuantizer().Quantize(weight, QuantizationScheme.W4A8));
        var options = new GptqOptions { EnergyOrder = energyOrder, SearchClip = searchClip };
        var fed = OutputNoise(x, weight, GptqQuantizer.Create(Gram(x), options).Quantize(weight, QuantizationScheme.W4A8));
        Assert.True(fed < plain, $"{fed} against {plain}");
    }

    [Theory]
    [InlineData("W4A8", 0)]
    [InlineData("W4A8", 128)]
    [InlineData("W4A16", 0)]
    public void Searching_the_output_error_lowers_it_for_some_outputs_and_raises_it_for_none(string name, int groupSize)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var x = RandomMatrices.Activations(300, 256, 11);
        var weight = RandomMatrices.Single(32, 256, 12);
        const double Damping = 0.1;
        var options = new GptqOptions { Damping = Damping, SecondLevel = groupSize > 0 };
        var plain = GptqQuantizer.Create(Gram(x), options).Quantize(weight, scheme).Dequantize().ToMathNet();
        var searched = GptqQuantizer.Create(Gram(x), options with { SearchOutput = true }).Quantize(weight, scheme).Dequantize().ToMathNet();
        var gram = RandomMatrices.Gram(x, Damping);
        var lower = 0;
        for (var n = 0; n < 32; n++)
        {
            var (before, after) = (weight.ToMathNet().Row(n) - plain.Row(n), weight.ToMathNet().Row(n) - searched.Row(n));
            var (one, other) = (before * gram * before, after * gram * after);

            // e·H·eᵀ and ‖e·M‖² are one number summed in two orders, in FP64 of FP32 products: 1e-6 is far above what they differ by.
            Assert.True(other <= one * (1 + 1e-6), $"output {n}: {one} became {other}");
            lower += other < one * (1 - 1e-6) ? 1 : 0;
        }

        Assert.True(lower > 0, "no output found a better scale");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Second_level_scales_reconstruct_within_half_a_step(bool searchClip)
    {
        var weight = RandomMatrices.Single(32, 512, 13);
        for (var n = 0; n < 32; n++)
        {
            // Groups of very different ranges, one of them zero.
            for (var k = 0; k < 512; k++)
            {
                weight[n, k] *= (k / 128) switch { 0 => 4f, 1 => 0.3f, 2 => n == 5 ? 0f : 1f, _ => 0.01f };
            }
        }

        var codes = new RtnQuantizer(searchClip, secondLevel: true).Quantize(weight, QuantizationScheme.W4A8);
        Assert.Equal(32 * 4, codes.GroupScales.Length);
        Assert.All(codes.GroupScales, scale => Assert.InRange(scale, 1, 16));
        Assert.All(codes.Codes, code => Assert.InRange(code, searchClip ? -8 : -7, 7));
        var values = codes.Dequantize();
        for (var n = 0; n < 32 && !searchClip; n++)
        {
            var widest = Enumerable.Range(0, 4).Max(group => Range(weight, n, group));
            for (var k = 0; k < 512; k++)
            {
                // The group's scale is its range / 7 rounded up to a multiple of the widest range / (7·16); a code errs by half of it. 1e-6: FP32.
                var bound = ((Range(weight, n, k / 128) / 7) + (widest / (7 * 16))) / 2;
                Assert.True(Math.Abs(weight[n, k] - values[n, k]) <= bound * (1 + 1e-6), $"[{n}, {k}]");
            }
        }

        var plain = Noise(weight, new RtnQuantizer(searchClip).Quantize(weight, QuantizationScheme.W4A8));
        Assert.True(Noise(weight, codes) < plain / 2);
    }

    [Fact]
    public void Second_level_scales_are_what_the_runtime_multiplies()
    {
        var codes = new RtnQuantizer(secondLevel: true).Quantize(RandomMatrices.Activations(32, 256, 14), QuantizationScheme.W4A8);
        var values = codes.Dequantize();
        var backend = new ScalarGemmBackend();
        var tokens = new PreparedTokens();
        for (var k = 0; k < 256; k += 5)
        {
            // One input is 127 and its scale 1, so the output is 127 times a column.
            var x = new Matrix(1, 256);
            x[0, k] = 127;
            backend.Prepare(x, ModalityMap.Text(1), InputTransform.None, QuantizationScheme.W4A8, tokens);
            var y = new Matrix(1, 32);
            backend.Multiply(tokens, codes.Pack(), y);
            for (var n = 0; n < 32; n++)
            {
                Assert.Equal(127 * (double)values[n, k], y[0, n], Math.Abs(127 * values[n, k]) * Math.Pow(2, -22));
            }
        }
    }

    [Fact]
    public void Error_feedback_without_correlation_is_rounding()
    {
        var gram = new GramMatrix<double>(128);
        for (var k = 0; k < 128; k++)
        {
            gram.Lower[k, k] = 1 + k;
        }

        var weight = RandomMatrices.Single(16, 128, 8);
        Assert.Equal(
            new RtnQuantizer().Quantize(weight, QuantizationScheme.W4A8).Codes,
            GptqQuantizer.Create(gram, new GptqOptions { SearchClip = false }).Quantize(weight, QuantizationScheme.W4A8).Codes);
    }

    [Fact]
    public void Error_feedback_works_in_single_precision_and_on_degenerate_statistics()
    {
        var x = RandomMatrices.Activations(20, 128, 9);
        var weight = RandomMatrices.Single(16, 128, 10);
        var narrow = new GramMatrix<float>(128);
        narrow.Add(x);
        var plain = OutputNoise(x, weight, new RtnQuantizer().Quantize(weight, QuantizationScheme.W4A8));
        foreach (var gram in new GramMatrix[] { Gram(x), narrow })
        {
            Assert.True(OutputNoise(x, weight, GptqQuantizer.Create(gram).Quantize(weight, QuantizationScheme.W4A8)) < plain);
        }

        var broken = new GramMatrix<double>(8);
        broken.Lower[0, 0] = double.NaN;
        Assert.Equal(DiagnosticCodes.GramNotFactorable, Assert.Throws<MASQuantException>(() => GptqQuantizer.Create(broken)).Code);
    }

    private static GramMatrix Gram(Matrix x)
    {
        var gram = GramMatrix.Create(x.Columns);
        gram.Add(x);
        return gram;
    }

    private static double Range(Matrix weight, int n, int group) => weight.Row(n).Slice(group * 128, 128).ToArray().Max(Math.Abs);

    private static double Noise(Matrix weight, WeightCodes codes) => Sqnr.Energies(weight.Span, codes.Dequantize().Span).Noise;

    private static double OutputNoise(Matrix x, Matrix weight, WeightCodes codes)
        => (x.ToMathNet() * (weight.ToMathNet() - codes.Dequantize().ToMathNet()).Transpose()).FrobeniusNorm();

    /// <summary>GPTQ as published: the upper Cholesky factor of H⁻¹, column after column, on the scales of <paramref name="rounded"/>.</summary>
    private static sbyte[] Textbook(Matrix weight, Matrix<double> hessian, WeightCodes rounded)
    {
        var inverse = hessian.Inverse();
        var upper = ((inverse + inverse.Transpose()) / 2).Cholesky().Factor.Transpose();
        var codes = new sbyte[weight.Span.Length];
        var groupSize = rounded.Codes.Length / rounded.Scales.Length;
        for (var n = 0; n < weight.Rows; n++)
        {
            var row = weight.ToMathNet().Row(n);
            for (var k = 0; k < weight.Columns; k++)
            {
                var group = ((n * weight.Columns) + k) / groupSize;
                var zero = rounded.ZeroPoints.Length > 0 ? rounded.ZeroPoints[group] : 0;
                var (low, high) = rounded.ZeroPoints.Length > 0 ? (0, 15) : (-rounded.Scheme.WeightMax - 1, rounded.Scheme.WeightMax);
                var code = Math.Clamp(Math.Round(row[k] / rounded.Scales[group]) + zero, low, high);
                codes[(n * weight.Columns) + k] = (sbyte)code;
                var error = (row[k] - ((code - zero) * rounded.Scales[group])) / upper[k, k];
                for (var later = k + 1; later < weight.Columns; later++)
                {
                    row[later] -= error * upper[k, later];
                }
            }
        }

        return codes;
    }
}
