using BenchmarkDotNet.Attributes;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Bench;

/// <summary>FP32 products of the towers, the learning and the full-precision decoder.</summary>
public class FloatGemmBenchmarks
{
    private Matrix _a = null!;
    private Matrix _b = null!;
    private Matrix _c = null!;
    private DenseWeight _packed = null!;

    [Params("80x256x768", "1024x2048x2048", "1x2048x2048")]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var extents = Shape.Split('x').Select(int.Parse).ToArray();
        var random = new Random(1);
        _a = QuantizedWorkload.RandomMatrix(random, extents[0], extents[2]);
        _b = QuantizedWorkload.RandomMatrix(random, extents[1], extents[2]);
        _c = new Matrix(extents[0], extents[1]);
        _packed = DenseWeight.FromFloats(_b);
    }

    [Benchmark(Baseline = true)]
    public void Packed() => FloatGemm.Multiply(_a, _packed, default, _c);

    [Benchmark]
    public void Transposed() => FloatGemm.MultiplyTransposed(_a, _b, default, _c);
}
