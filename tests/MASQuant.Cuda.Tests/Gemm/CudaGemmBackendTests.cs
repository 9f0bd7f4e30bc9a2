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

    // Codes times second-level scales are 8-bit integers: exact, as on the processor.
    [Fact]
    public void SecondLevelScalesAreExact()
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, 3, [32], 256);
        var plain = problem.Weights[0];
        var random = new Random(1);
        var weight = new QuantizedWeight
        {
            Scheme = plain.Scheme,
            Outputs = plain.Outputs,
            Inputs = plain.Inputs,
            Codes = plain.Codes,
            Scales = plain.Scales,
            GroupScales = Enumerable.Range(0, 32 * 256 / PackingLayout.GroupSize).Select(_ => (byte)random.Next(1, PackingLayout.MaxGroupScale + 1)).ToArray(),
        };
        using var backend = new CudaGemmBackend(new EmulatedDevice());
        var (expected, actual, tokens) = (new Matrix(3, 32), new Matrix(3, 32), new PreparedTokens());
        new ScalarGemmBackend().Multiply(problem.Prepare(), weight, expected);
        backend.Prepare(problem.X, problem.Modalities, problem.InverseSmoothing, problem.Scheme, tokens);
        backend.Multiply(tokens, weight, actual);
        Assert.Equal(expected.Data, actual.Data);
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

            for (var n = 0; n < expected.Columns; n++)
            {
                var bound = RoundingBound.Of(prepared, weight, m, n, expected[m, n]);
                Assert.True(Math.Abs(expected[m, n] - actual[m, n]) <= bound, $"[{m}, {n}]: {expected[m, n]} and {actual[m, n]} differ by more than {bound}");
            }
        }
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
