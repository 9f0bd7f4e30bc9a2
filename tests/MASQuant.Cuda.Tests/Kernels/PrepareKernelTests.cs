using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>The preparing kernels equal the CPU bit for bit.</summary>
public sealed class PrepareKernelTests
{
    public static TheoryData<string> Checks => [.. PrepareChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());
}
