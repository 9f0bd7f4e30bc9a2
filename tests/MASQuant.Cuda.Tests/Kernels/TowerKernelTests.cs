using MASQuant.Cuda.Gemm;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>The towers' kernels: exact where the processor's arithmetic is repeated, within a derived bound where tensor cores add.</summary>
public class TowerKernelTests
{
    public static TheoryData<string> Checks => [.. TowerChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    [Fact]
    public void Tiles_cover_every_segment_once()
        => Assert.Equal([0, 5, 0, 5, 5, 69, 5, 75, 69, 75, 5, 75], TowerKernels.Tiles([0, 5, 75]));

    [Theory]
    [InlineData(@"bar\.sync\s+0;", "", 0)]
    [InlineData(@"bar\.sync\s+0;", "", 1)]
    [InlineData(@"cp\.async\.wait_group 1;", "cp.async.wait_group 2;", 0)]
    public void Attention_without_one_of_its_waits_is_reported(string pattern, string replacement, int occurrence)
    {
        var error = Assert.Throws<PtxException>(() => TowerChecks.Attend(new EmulatedDevice(Mutation.Replace("attend_segment_32", pattern, replacement, occurrence)), 32, 1, [0, 200]));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.IncompleteCopy, PtxFault.UninitializedShared]);
    }
}
