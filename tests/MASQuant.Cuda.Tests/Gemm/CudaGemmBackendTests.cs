using MASQuant.Gemm;
using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Ptx;
using MASQuant.Tensors;
using MASQuant.Tests.Kernels;

namespace MASQuant.Tests.Gemm;

/// <summary>The backend on the shipped kernels: executed by the interpreter everywhere, and by the GPU where there is one.</summary>
public class CudaGemmBackendTests
{
    private static readonly Modality[] Mixed = [Modality.Text, Modality.Vision, Modality.Vision, Modality.Audio, Modality.Text];

    // Tokens for every kind of launch: one, a full and an overfull decode tile, an odd prefill; K that fills its padding, and K that does not.
    public static TheoryData<string, int, int, int> Shapes => new()
    {
        { "W4A8", 1, 64, 512 },
        { "W4A8", 9, 48, 200 },
        { "W4A8", 33, 144, 320 },
        { "W8A8", 5, 80, 264 },
        { "W8A8", 19, 32, 128 },
        { "W4A6", 16, 64, 192 },
        { "W4A16", 3, 48, 256 },
        { "W4A16", 21, 16, 384 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EqualsTheScalarBackend(string scheme, int tokens, int outputs, int inputs) => Check(new EmulatedDevice(), scheme, tokens, outputs, inputs);

    [CudaFact]
    public void EqualsTheScalarBackendOnTheGpu()
    {
        using var device = CudaDevice.Open(0);
        foreach (var shape in Shapes)
        {
            Check(device, (string)shape[0], (int)shape[1], (int)shape[2], (int)shape[3]);
        }
    }

    [Fact]
    public void WeightsAreCopiedOnce()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var problem = new LayerProblem(QuantizationScheme.W4A8, 2, [64], 128);
        using var backend = new CudaGemmBackend(device);
        var y = Run(backend, problem);
        var copied = device.WrittenBytes;
        Assert.Equal(y[0].Data, Run(backend, problem)[0].Data);
        Assert.Equal(2 * 128 * sizeof(float), device.WrittenBytes - copied); // the tokens alone
    }

    [Fact]
    public void DisposingFreesAllMemory()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var backend = new CudaGemmBackend(device);
        Run(backend, new LayerProblem(QuantizationScheme.W4A8, 3, [64], 128, Mixed, [7]));
        Assert.NotEqual(0, device.LentBytes);
        backend.Dispose();
        backend.Dispose();
        Assert.Equal(0, device.LentBytes);
    }

    [Fact]
    public void TokensOfAnotherBackendAreRefused()
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, 2, [16], 64);
        using var backend = new CudaGemmBackend(new EmulatedDevice());
        Assert.Throws<ArgumentException>(() => backend.Multiply(problem.Prepare(), problem.Weights[0], new Matrix(2, 16)));
    }

    private static void Check(ICudaDevice device, string name, int tokens, int outputs, int inputs)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var problem = new LayerProblem(scheme, tokens, [outputs, 16], inputs, Mixed, [7, 20]);
        using var backend = new CudaGemmBackend(device);
        var actual = Run(backend, problem);
        var prepared = problem.Prepare();
        for (var i = 0; i < actual.Length; i++)
        {
            var expected = new Matrix(tokens, problem.Weights[i].Outputs);
            new ScalarGemmBackend().Multiply(prepared, problem.Weights[i], expected);
            Compare(problem, problem.Weights[i], prepared, expected, actual[i]);
        }
    }

    /// <summary>Integer sums, scales and biases bit for bit; what multiplies BF16 operands within their rounding.</summary>
    private static void Compare(LayerProblem problem, QuantizedWeight weight, PreparedTokens prepared, Matrix expected, Matrix actual)
    {
        for (var m = 0; m < expected.Rows; m++)
        {
            var patch = weight.Patches[(int)problem.Modalities[m]];
            if (patch is null && weight.Scheme.QuantizesActivations)
            {
                Assert.Equal(expected.Row(m).ToArray(), actual.Row(m).ToArray());
                continue;
            }

            var bound = Bound(weight, patch, prepared, m);
            for (var n = 0; n < expected.Columns; n++)
            {
                Assert.True(Math.Abs(expected[m, n] - actual[m, n]) <= bound[n] + (1e-6 * Math.Abs(expected[m, n])), $"[{m}, {n}]: {expected[m, n]} and {actual[m, n]} differ by more than {bound[n]}");
            }
        }
    }

    // Each product x·L1·L2 has four roundings to BF16 (x, L1, their sum, L2) of 2⁻⁹ each; a product of W4A16 has one (x: code − zero point is exact).
    // FP32 sums of at most 1024 terms, in any order and by tensor cores that cut off, stay within 1024 · 2⁻²³ of the sum of magnitudes; together
    // under 4.3 · 2⁻⁹ and 1.1 · 2⁻⁹ + 2⁻¹³ of it.
    private static double[] Bound(QuantizedWeight weight, LowRankFactors? patch, PreparedTokens prepared, int token)
    {
        var bound = new double[weight.Outputs];
        var x = prepared.Smoothed.Row(token).ToArray();
        for (var r = 0; r < (patch?.Rank ?? 0); r++)
        {
            var t = Enumerable.Range(0, x.Length).Sum(k => Math.Abs((double)x[k] * patch!.L1[k, r]));
            for (var n = 0; n < bound.Length; n++)
            {
                bound[n] += 4.3 / 512 * t * Math.Abs(patch!.L2[r, n]);
            }
        }

        for (var n = 0; n < bound.Length && !weight.Scheme.QuantizesActivations; n++)
        {
            for (var k = 0; k < x.Length; k++)
            {
                var group = (n * weight.Inputs / PackingLayout.GroupSize) + (k / PackingLayout.GroupSize);
                var code = PackingLayout.Code(weight.Codes.Span, n, k, weight.Inputs, 4, unsigned: true) - weight.ZeroPoints.Span[group];
                bound[n] += ((1.1 / 512) + Math.Pow(2, -13)) * Math.Abs(x[k] * code * (double)weight.Scales.Span[group]);
            }
        }

        return bound;
    }

    private static Matrix[] Run(CudaGemmBackend backend, LayerProblem problem)
    {
        var tokens = new PreparedTokens();
        backend.Prepare(problem.X, problem.Modalities, problem.InverseSmoothing, problem.Scheme, tokens);
        return [.. problem.Weights.Select(weight =>
        {
            var y = new Matrix(problem.X.Rows, weight.Outputs);
            backend.Multiply(tokens, weight, y);
            return y;
        })];
    }
}
