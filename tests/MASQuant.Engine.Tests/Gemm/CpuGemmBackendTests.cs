using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>The CPU backend equals the scalar one bit for bit, on every instruction set and thread count.</summary>
public sealed class CpuGemmBackendTests
{
    private static readonly ScalarGemmBackend Scalar = new();
    private static readonly CpuGemmBackend Cpu = new();

    public static TheoryData<string> Schemes => new(QuantizationScheme.All.Select(scheme => scheme.ToString()));

    public static TheoryData<string> SecondLevelSchemes => new(QuantizationScheme.All.Where(scheme => scheme is { WeightBits: 4, QuantizesActivations: true }).Select(scheme => scheme.ToString()));

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Equals_the_scalar_backend(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        var unit = scheme.QuantizesActivations ? 8 : 128;

        // Token counts around every kernel's height; inputs that end within a 16-bit sum, a vector and a block of 512.
        foreach (var tokens in new[] { 1, 2, 3, 4, 5, 6, 7, 12, 13, 25, 41 })
        {
            foreach (var (outputs, inputs) in new[] { (16, 1), (48, 5), (32, 9), (80, 17) })
            {
                AssertEqual(new QuantizedProblem(tokens, outputs, inputs * unit, scheme, seed: tokens + inputs, bias: inputs != 5));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Equals_the_scalar_backend_above_the_threading_threshold(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        AssertEqual(new QuantizedProblem(1, 272, 1152, scheme));
        AssertEqual(new QuantizedProblem(37, 272, 128, scheme));
    }

    [Theory]
    [MemberData(nameof(SecondLevelSchemes))]
    public void Second_level_scales_equal_the_scalar_backend(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        foreach (var tokens in new[] { 1, 2, 5, 7, 13, 41 })
        {
            foreach (var (outputs, groups) in new[] { (16, 1), (80, 3), (272, 9) })
            {
                AssertEqual(new QuantizedProblem(tokens, outputs, groups * 128, scheme, seed: tokens + groups, groupScales: true));
            }
        }

        // Every product has the largest magnitude and the same sign: any sum that saturates shows.
        foreach (var code in new sbyte[] { -8, 7 })
        {
            var extreme = new QuantizedProblem(7, 16, 1024, scheme);
            extreme.RowMajorCodes.AsSpan().Fill(code);
            var weight = QuantizedProblem.WithGroupScales(
                QuantizedProblem.Create(scheme, 16, 1024, extreme.RowMajorCodes, extreme.Weight.Scales.ToArray(), [], [], new LowRankFactors?[3]), [.. Enumerable.Repeat((byte)16, 16 * 8)]);
            extreme.X.Span.Fill(-1);
            AssertEqual(weight, extreme.X, InputTransform.None, extreme.Modalities);
        }
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void A_rotated_and_clipped_input_equals_the_scalar_backend_and_stays_as_it_was(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        foreach (var (tokens, inputs, block) in new[] { (1, 384, 128), (6, 1152, 128), (5, 512, 512), (3, 128, 8) })
        {
            var problem = new QuantizedProblem(tokens, 32, inputs, scheme) { RotationBlock = block, Clips = [0.8f, 1, 0.5f] };
            var x = problem.X.Data.ToArray();
            AssertEqual(problem);
            Assert.Equal(x, problem.X.Data);
        }
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Every_mix_of_modalities_equals_the_scalar_backend(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        foreach (var mix in new[] { "tttttttt", "vvvvvvvv", "aaaaaaaa", "ttvvvvtt", "vattavva", "aaaattta" })
        {
            var modalities = mix.Select(letter => letter switch { 't' => Modality.Text, 'v' => Modality.Vision, _ => Modality.Audio }).ToArray();
            AssertEqual(new QuantizedProblem(8, 32, 256, scheme) { Modalities = new ModalityMap(modalities) });
        }
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Extreme_codes_equal_the_scalar_backend(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        var (lowest, highest) = (scheme.WeightBits, scheme.QuantizesActivations) switch { (8, _) => (-128, 127), (_, true) => (-8, 7), _ => (0, 15) };
        foreach (var code in new[] { lowest, highest })
        {
            foreach (var sign in new[] { 1f, -1f })
            {
                // Every product has the largest magnitude and the same sign: any sum that saturates shows.
                var problem = new QuantizedProblem(7, 16, 1024, scheme);
                problem.RowMajorCodes.AsSpan().Fill((sbyte)code);
                var weight = QuantizedProblem.Create(
                    scheme, 16, 1024, problem.RowMajorCodes, problem.Weight.Scales.ToArray(), problem.Weight.ZeroPoints.ToArray(), [], new LowRankFactors?[3]);
                problem.X.Span.Fill(sign);
                AssertEqual(weight, problem.X, InputTransform.None, problem.Modalities);
                var single = new Matrix(1, 1024, problem.X.Data);
                AssertEqual(weight, single, InputTransform.None, ModalityMap.Text(1));
            }
        }
    }

    [Fact]
    public void Tokens_that_are_zero_or_not_finite_equal_the_scalar_backend()
    {
        var problem = new QuantizedProblem(6, 32, 72, QuantizationScheme.W4A8);
        problem.X.Row(1).Clear();
        problem.X.Row(2).Fill(1e-37f);
        problem.X[3, 71] = float.NaN;
        problem.X[4, 3] = float.PositiveInfinity;
        problem.InverseSmoothing[0] = problem.InverseSmoothing[1] = [];
        problem.Modalities = ModalityMap.Text(6);
        var expected = problem.Run(Scalar);
        Assert.All(expected.AsSpan(3 * 32, 2 * 32).ToArray(), value => Assert.True(float.IsNaN(value)));
        Assert.Equal(problem.Weight.Bias.ToArray(), expected.AsSpan(32, 32).ToArray());

        // Two NaN are the same result whatever their payload.
        Assert.All(CpuTargets.All(), target => Assert.Equal(expected, problem.Run(new CpuGemmBackend(target))));
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Text_never_meets_a_patch(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        var problem = new QuantizedProblem(9, 48, 128, scheme);
        problem.Modalities = new ModalityMap([0, 0, Modality.Vision, Modality.Vision, 0, Modality.Audio, 0, 0, Modality.Audio]);
        var clean = problem.Run(Scalar);
        foreach (var patch in problem.Weight.Patches)
        {
            patch?.L1.Span.Fill(float.NaN);
        }

        foreach (IGemmBackend backend in new IGemmBackend[] { Scalar, Cpu })
        {
            var y = problem.Run(backend);
            for (var m = 0; m < 9; m++)
            {
                var row = y.AsSpan(m * 48, 48).ToArray();
                if (problem.Modalities[m] == Modality.Text)
                {
                    Bits.AssertSame(clean.AsSpan(m * 48, 48).ToArray(), row);
                }
                else
                {
                    Assert.All(row, value => Assert.True(float.IsNaN(value)));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void A_second_call_allocates_nothing(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        foreach (var count in new[] { 1, 20 })
        {
            var problem = new QuantizedProblem(count, 64, 640, scheme) { RotationBlock = 128 };
            var input = problem.Input;
            var tokens = new PreparedTokens();
            var y = new Matrix(count, 64);
            var cpu = new CpuGemmBackend(CpuTarget.ThisMachine with { Threads = 1 });
            long before = 0;
            for (var call = 0; call < 3; call++)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
                cpu.Prepare(problem.X, problem.Modalities, input, scheme, tokens);
                cpu.Multiply(tokens, problem.Weight, y);
            }

            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    private static void AssertEqual(QuantizedProblem problem) => AssertEqual(problem.Weight, problem.X, problem.Input, problem.Modalities);

    private static void AssertEqual(QuantizedWeight weight, Matrix x, InputTransform input, ModalityMap modalities)
    {
        var expected = new PreparedTokens();
        var expectedY = new Matrix(x.Rows, weight.Outputs);
        Scalar.Prepare(x, modalities, input, weight.Scheme, expected);
        Scalar.Multiply(expected, weight, expectedY);
        var tokens = new PreparedTokens();
        foreach (var target in CpuTargets.All())
        {
            var cpu = new CpuGemmBackend(target);
            var y = new Matrix(x.Rows, weight.Outputs);
            cpu.Prepare(x, modalities, input, weight.Scheme, tokens);
            Assert.Equal(expected.Codes, tokens.Codes);
            Bits.AssertSame(expected.Smoothed.Data, tokens.Smoothed.Data);
            cpu.Multiply(tokens, weight, y);
            Bits.AssertSame(expectedY.Data, y.Data);
        }
    }
}
