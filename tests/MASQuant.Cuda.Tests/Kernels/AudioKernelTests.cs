using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>The audio tower's kernels give the processor's values bit for bit, rounded where BF16 is written.</summary>
public class AudioKernelTests
{
    public static TheoryData<string> Checks => [.. AudioChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_LayerNorm_without_one_of_its_barriers_is_reported(int occurrence)
    {
        var device = new EmulatedDevice(Mutation.Replace("prepare_layer_norm", @"bar\.sync\s+0;", "", occurrence));
        var error = Assert.Throws<PtxException>(() => AudioChecks.Normalize(device, 400));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }
}
