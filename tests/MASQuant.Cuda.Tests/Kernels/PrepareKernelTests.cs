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
    public void InterleavedCodesStandWhereHopperReadsThem()
    {
        using var device = new EmulatedDevice();
        var problem = new PrepareProblem(2, 200, 8, seed: 5);
        var expected = problem.Expect(problem.X);
        problem.Run(device, out var codes, out _, out _, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, 200, 2, 200, smoothing, target with { Interleaved = true }));
        });
        for (var k = 0; k < 256; k++)
        {
            // Within 64 inputs: word 4t + 2s + h at place 8s + 4h + t.
            int word = k / 4 % 16, place = (8 * (word / 2 % 2)) + (4 * (word % 2)) + (word / 4);
            Assert.Equal(k < 200 ? expected.Codes[k] : (sbyte)0, codes[(k / 64 * 64) + (4 * place) + (k % 4)]);
        }
    }
}
