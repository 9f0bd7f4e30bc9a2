using MASQuant.Gemm.Cuda;
using MASQuant.Ptx;

namespace MASQuant.Tests.Kernels;

/// <summary>The preparing kernels equal the CPU bit for bit.</summary>
public sealed class PrepareKernelTests
{
    public static TheoryData<string> Checks => [.. PrepareChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void EqualsTheProcessor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    [Fact]
    public void TiledCodesStandWhereHopperReadsThem()
    {
        // Two tiles, the second with two tokens; two stages, the second with 8 inputs and zeros behind them.
        const int Tokens = 258, Inputs = 136;
        using var device = new EmulatedDevice();
        var problem = new PrepareProblem(Tokens, Inputs, 8, seed: 5);
        var expected = problem.Expect(problem.X);
        problem.Run(device, out var codes, out _, out _, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, Inputs, Tokens, Inputs, smoothing, target with { Tiled = true }));
        }, (int)GemmKernels.TiledBytes(Tokens, Inputs));
        Assert.Equal(2 * 2 * 256 * 128, codes.Length);
        for (var row = 0; row < 512; row++)
        {
            for (var k = 0; k < 256; k++)
            {
                // Within 64 inputs word 4t + 2s + h is at place 8s + 4h + t; part p of 16 bytes is at p ^ row % 8. Rows behind M are left alone.
                int word = k / 4 % 16, place = (16 * (k / 64 % 2)) + (8 * (word / 2 % 2)) + (4 * (word % 2)) + (word / 4);
                var start = (((row / 256 * 2) + (k / 128)) * 256 * 128) + (row % 256 * 128);
                var code = codes[start + (((place / 4) ^ (row % 8)) * 16) + (place % 4 * 4) + (k % 4)];
                Assert.Equal(row >= Tokens ? (sbyte)-1 : k < Inputs ? expected.Codes[(row * Inputs) + k] : (sbyte)0, code);
            }
        }
    }
}
