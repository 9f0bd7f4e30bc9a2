using MASQuant.Generation;
using MASQuant.Ptx;

namespace MASQuant.Tests.Kernels;

/// <summary>The token that chance draws on a device is the sampler's, always: same logits, same numbers, same token.</summary>
public class DrawKernelTests
{
    private static TokenDraw Tied => new(1ul << 63, 1ul << 62, 1, 1000);

    public static TheoryData<string> Checks => [.. DrawChecks.All.Select(check => check.Name)];

    public static TheoryData<int> Barriers => [.. Enumerable.Range(0, 16)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void TheDrawIsTheSamplers(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    // k and p with more ties than are kept: every walk is taken.
    [Theory]
    [MemberData(nameof(Barriers))]
    public void ADrawWithoutOneOfItsBarriersIsReported(int occurrence)
    {
        var device = new EmulatedDevice(Mutation.Replace("draw", @"bar\.sync\s+0;", "", occurrence));
        var error = Assert.Throws<PtxException>(() => DrawChecks.Draw(device, [.. Enumerable.Range(0, 2000).Select(id => id % 3f)], [Tied]));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }
}
