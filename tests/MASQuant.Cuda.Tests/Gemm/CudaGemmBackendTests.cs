using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Gemm;

/// <summary>The backend on the shipped kernels: executed by the interpreter everywhere, and by the GPU where there is one.</summary>
public class CudaGemmBackendTests
{
    public static TheoryData<string> Checks => [.. BackendChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    // Codes times second-level scales are 8-bit integers: exact, as on the processor.
    [Fact]
    public void Second_level_scales_are_exact()
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
    public void Weights_are_copied_once()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var problem = new LayerProblem(QuantizationScheme.W4A8, 2, [64], 128);
        using var backend = new CudaGemmBackend(device);
        var y = BackendChecks.Run(backend, problem);
        var copied = device.WrittenBytes;
        Assert.Equal(y[0].Data, BackendChecks.Run(backend, problem)[0].Data);
        Assert.Equal(2 * 128 * sizeof(float), device.WrittenBytes - copied); // the tokens alone
    }

    [Fact]
    public void Disposing_frees_all_memory()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var backend = new CudaGemmBackend(device);
        BackendChecks.Run(backend, new LayerProblem(QuantizationScheme.W4A8, 3, [64], 128, BackendChecks.Mixed, [7]));
        Assert.NotEqual(0, device.LentBytes);
        backend.Dispose();
        backend.Dispose();
        Assert.Equal(0, device.LentBytes);
    }

    [Fact]
    public void Tokens_of_another_backend_are_refused()
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, 2, [16], 64);
        using var backend = new CudaGemmBackend(new EmulatedDevice());
        Assert.Throws<ArgumentException>(() => backend.Multiply(problem.Prepare(), problem.Weights[0], new Matrix(2, 16)));
    }
}
