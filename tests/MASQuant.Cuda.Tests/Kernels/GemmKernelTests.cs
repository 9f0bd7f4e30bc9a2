using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>Products of integer formats equal the CPU bit for bit; those with BF16 operands stay within their rounding.</summary>
public sealed class GemmKernelTests
{
    private const string LowRankOperation = "mma.sync.aligned.m16n8k16";
    private const string NibbleOperation = "mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32";

    public static TheoryData<string> Checks => [.. ProductChecks.All.Concat(PatchChecks.All).Concat(DenseChecks.All).Select(check => check.Name).Except(OfHopper)];

    public static TheoryData<string> WideChecks => [.. OfHopper];

    public static TheoryData<string> NibbleChecks => [.. ProductChecks.All.Concat(PatchChecks.All).Select(check => check.Name).Where(name => name.Contains("W4A4", StringComparison.Ordinal))];

    private static IEnumerable<string> OfHopper => ProductChecks.OfHopper.Concat(PatchChecks.OfHopper).Select(check => check.Name);

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    [Theory]
    [MemberData(nameof(WideChecks))]
    public void Wide_kernels_equal_the_processor(string check)
    {
        using var device = new EmulatedDevice { ComputeCapability = 90 };
        DeviceChecks.Run(check, device);
        Assert.True(device.Counts.Of("wgmma.mma_async") > 0);
    }

    // The first and the last with an MMA of 4-bit integers, and those that follow, which multiply bytes.
    [Theory]
    [MemberData(nameof(NibbleChecks))]
    public void Nibbles_are_multiplied_where_the_device_can(string check)
    {
        foreach (var (capability, takesNibbles) in ((int, bool)[])[(80, true), (89, true), (90, false), (120, false)])
        {
            using var device = new EmulatedDevice { ComputeCapability = capability };
            DeviceChecks.Run(check, device);
            Assert.Equal(takesNibbles, device.Counts.Of(NibbleOperation) > 0);
            Assert.Equal(!takesNibbles, device.Counts.Of("mma.sync.aligned.m16n8k32") + device.Counts.Of("wgmma.mma_async") > 0);
        }
    }

    [Theory]
    [InlineData(1, 64, 0)]
    [InlineData(40, 64, 0)]
    [InlineData(128, 128, 0)]
    public void Text_does_no_low_rank_work(int tokens, int outputs, int expected)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, tokens, [outputs], 128, [Modality.Text], ranks: [16]);
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        layers.Run(problem.Prepare());
        Assert.Equal(expected, device.Counts.Of(LowRankOperation));
    }

    [Fact]
    public void Only_the_warps_that_hold_patched_tokens_do_low_rank_work()
    {
        // 200 tokens, of which number 150 is seen: it is in the second block, and there in one chunk of 2 tiles.
        var problem = new LayerProblem(QuantizationScheme.W4A8, 200, [128], 128, [.. Enumerable.Range(0, 200).Select(i => i == 150 ? Modality.Vision : Modality.Text)], ranks: [16]);
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        layers.Run(problem.Prepare());

        // T: one of two blocks, 8 warps × 2 panels × 8 tiles × 4 MMAs for each of 2 steps. Y, computed twice: 8 panels × 1 step of 16 ranks × 2 tiles.
        Assert.Equal((8 * 2 * 8 * 4 * 2) + (2 * 8 * 2), device.Counts.Of(LowRankOperation));
    }
}
