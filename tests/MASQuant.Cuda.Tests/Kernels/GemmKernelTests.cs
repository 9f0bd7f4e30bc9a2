using MASQuant.Gemm;
using MASQuant.Ptx;

namespace MASQuant.Tests.Kernels;

/// <summary>Products of integer formats equal the CPU bit for bit; those with BF16 operands stay within their rounding.</summary>
public sealed class GemmKernelTests
{
    private const string LowRankOperation = "mma.sync.aligned.m16n8k16";

    // Scheme, tokens, outputs, inputs: one step, steps that do not fill a ring, padded K, several passes through every stage, odd M, more than one block each way.
    public static TheoryData<string, int, int[], int> Shapes => new()
    {
        { "W4A8", 1, [64], 64 },
        { "W4A8", 3, [16, 48, 32], 4160 },
        { "W4A8", 9, [80], 1096 },
        { "W4A8", 17, [144], 4096 },
        { "W4A8", 131, [16], 72 },
        { "W4A6", 5, [32], 256 },
        { "W8A8", 2, [64], 4096 },
        { "W8A8", 16, [48], 200 },
        { "W8A8", 37, [128, 16], 4104 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IntegerProductsEqualTheCpu(string scheme, int tokens, int[] outputs, int inputs)
    {
        var problem = new LayerProblem(Scheme(scheme), tokens, outputs, inputs);
        var prepared = problem.Prepare();
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        var actual = layers.Run(prepared);
        var expected = problem.Expect(prepared);
        for (var i = 0; i < outputs.Length; i++)
        {
            Assert.Equal(expected[i].Data, actual[i].Data);
        }

        Assert.Equal(0, device.Counts.Of(LowRankOperation));
    }

    private static QuantizationScheme Scheme(string name) => QuantizationScheme.TryParse(name, out var scheme) ? scheme : throw new ArgumentException(name);
}
