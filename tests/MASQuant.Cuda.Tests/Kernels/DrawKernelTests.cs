using MASQuant.Engine.Generation;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>The token that chance draws on a device is the sampler's, always: same logits, same numbers, same token.</summary>
[Trait("Lane", "slow")]
public class DrawKernelTests
{
    private static TokenDraw Tied => new(1ul << 63, 1ul << 62, 1, 1000);

    public static TheoryData<string> Checks => [.. DrawChecks.All.Select(check => check.Name)];

    public static TheoryData<int> Barriers => [.. Enumerable.Range(0, 16)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void The_draw_is_the_samplers(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    // The host refuses such a row; its neighbours are drawn.
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity)]
    public void Nothing_is_drawn_without_a_finite_largest(float value)
    {
        var chosen = DrawChecks.Draw(new EmulatedDevice(), [.. Enumerable.Repeat(value, 700), .. Enumerable.Repeat(1f, 700)], [Tied, Tied with { TopP = 0, TopK = 0 }]);
        Assert.False(float.IsFinite(chosen[0].Largest));
        Assert.Equal((1f, 350), chosen[1]);
    }

    // k and p with more ties than are kept: every walk is taken.
    [Theory]
    [MemberData(nameof(Barriers))]
    public void A_draw_without_one_of_its_barriers_is_reported(int occurrence)
    {
        var device = new EmulatedDevice(Mutation.Replace("draw", @"bar\.sync\s+0;", "", occurrence));
        var error = Assert.Throws<PtxException>(() => DrawChecks.Draw(device, [.. Enumerable.Range(0, 2000).Select(id => id % 3f)], [Tied]));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }
}
