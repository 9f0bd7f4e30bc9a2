using BenchmarkDotNet.Attributes;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Bench;

/// <summary>The quantized linear layer of prefill and decode, for every scheme.</summary>
public class QuantizedLinearBenchmarks
{
    private readonly CpuGemmBackend _backend = new();
    private QuantizedWorkload _workload = null!;

    [Params(1, 16, 256)]
    public int Tokens { get; set; }

    [Params("W8A8", "W4A8", "W4A6", "W4A16")]
    public string Scheme { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        QuantizationScheme.TryParse(Scheme, out var scheme);
        _workload = new QuantizedWorkload(scheme, new GemmProblem(Tokens, 11008, 2048), Tokens < 32 ? 256L << 20 : 0);
    }

    [Benchmark]
    public void Forward() => _workload.Forward(_backend);
}
