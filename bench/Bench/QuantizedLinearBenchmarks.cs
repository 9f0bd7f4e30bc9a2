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

    [ParamsSource(nameof(Schemes))]
    public QuantizationScheme Scheme { get; set; }

    public static IEnumerable<QuantizationScheme> Schemes => QuantizationScheme.All;

    [GlobalSetup]
    public void Setup()
    {
        _workload = new QuantizedWorkload(Scheme, new GemmProblem(Tokens, 11008, 2048), Tokens < 32 ? 256L << 20 : 0);
    }

    [Benchmark]
    public void Forward() => _workload.Forward(_backend);
}
