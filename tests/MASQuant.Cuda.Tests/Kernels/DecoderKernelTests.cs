using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>The decoder's kernels against the processor's code and an FP64 oracle.</summary>
public class DecoderKernelTests
{
    public static TheoryData<string> Checks => [.. AttentionChecks.All.Concat(DecoderStepChecks.All).Concat(StateChecks.All).Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());
}
