using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>What enters and leaves a decoder: exact, whatever the table's order; the choice is the greedy sampler's.</summary>
public class TokenKernelTests
{
    public static TheoryData<string> Checks => [.. TokenChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    [Fact]
    public void A_row_behind_the_table_is_reported()
    {
        var device = new EmulatedDevice();
        using var table = new DeviceArray<ushort>(device, new ushort[3 * 8]);
        using var sources = new DeviceArray<int>(device, [3]);
        using var hidden = new DeviceArray<float>(device, 8);
        var error = Assert.Throws<PtxException>(() => device.Launch(TokenKernels.Embed(sources.Pointer, table.Pointer, false, DevicePointer.Null, hidden.Pointer, 1, 8)));
        Assert.Equal(PtxFault.OutOfBounds, error.Fault);
    }

    [Fact]
    public void A_choice_without_its_barrier_is_reported()
    {
        var device = new EmulatedDevice(Mutation.Replace("choose_parts", @"bar\.sync\s+0;", ""));
        using var logits = new DeviceArray<float>(device, new float[5000]);
        using var parts = new DeviceArray<long>(device, TokenKernels.ChoiceParts(5000));
        var error = Assert.Throws<PtxException>(() => device.Launch(TokenKernels.ChooseParts(logits.Pointer, 5000, parts.Pointer, 1)));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }

    [Fact]
    public void No_finite_logit_is_seen()
    {
        // Fewer logits than threads, and more.
        foreach (var count in (int[])[3, 700])
        {
            foreach (var value in (float[])[float.NaN, float.NegativeInfinity, float.PositiveInfinity])
            {
                var (logit, _) = TokenChecks.Choose(new EmulatedDevice(), [.. Enumerable.Repeat(value, count)], 1)[0];
                Assert.False(float.IsFinite(logit));
            }
        }
    }
}
