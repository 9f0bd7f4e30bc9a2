using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Engine.Tests.Gemm.Code;

/// <summary>The shipped AMX code in the emulator, on any machine: the products equal the scalar ones. Where the processor has AVX512-VNNI, every other test of kernels takes it too (<see cref="CpuTargets"/>).</summary>
public sealed class TileKernelTests
{
    public static TheoryData<string> Schemes => new(QuantizationScheme.All.Where(scheme => scheme.QuantizesActivations).Select(scheme => scheme.ToString()));

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Products_by_tiles_equal_the_scalar_backend(string name)
    {
        QuantizationScheme.TryParse(name, out var scheme);
        var before = EmulatedTiles.Products;

        // Tokens around a tile, two and more; outputs of one panel, pairs and one left; inputs around a tile, a call of 512 and a group.
        foreach (var (tokens, outputs, inputs) in new[] { (7, 16, 8), (16, 48, 64), (17, 32, 72), (32, 80, 512), (33, 16, 520), (50, 32, 1096) })
        {
            AssertEqual(new QuantizedProblem(tokens, outputs, inputs, scheme, seed: tokens + inputs, bias: inputs != 72));
        }

        Assert.True(EmulatedTiles.Products > before);
        if (scheme.SupportsGroupScales)
        {
            AssertEqual(new QuantizedProblem(19, 48, 640, scheme, groupScales: true));
        }
    }

    [Fact]
    public void More_tokens_than_a_pass_equal_the_scalar_backend()
        => AssertEqual(new QuantizedProblem(16 * 33 + 3, 48, 72, QuantizationScheme.W4A8));

    private static void AssertEqual(QuantizedProblem problem)
    {
        Assert.Null(EmulatedTiles.Problem);

        // Patches are FP32, by kernels that not every machine has.
        problem.Modalities = ModalityMap.Text(problem.X.Rows);
        var expected = problem.Run(new ScalarGemmBackend());
        foreach (var threads in new[] { 1, 3 })
        {
            var result = problem.Run(new CpuGemmBackend(new CpuTarget(CpuLevel.Amx, false, threads) { Code = EmulatedTiles.Kernels }));
            Assert.Null(EmulatedTiles.Problem);
            Bits.AssertSame(expected, result);
        }
    }
}
