using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>Hopper's kernel, damaged: each wait, arrival, count and fence that is missing or wrong is found out.</summary>
public sealed class WideControlTests
{
    private const string Wait = @"mbarrier\.try_wait\.parity\.shared::cta\.b64 p, \[(%r\d+)\], (%r\d+);";
    private const string Arrival = @"mbarrier\.arrive\.shared::cta\.b64 _, \[%r\d+\];";
    private const string Expectation = @"mbarrier\.arrive\.expect_tx\.shared::cta\.b64 (_, \[%r\d+\]), (%r\d+);";
    private const string Copy = @"(cp\.async\.bulk\.\S+ \[%r\d+\], \[%rd\d+\]), (%r\d+), \[(%r\d+)\];";
    private const string AskAgain = @"(selp\.u32 %r\d+, 1, 0, p;\s+\}\s+(?://.*\s+)*setp\S+\s+%p\d+, %r\d+, 0;\s+)@%p\d+ bra\s+\S+;";
    private const string Bytes = @"mov\.b32\s+(%r\d+), 40960;";
    private const string TokenBytes = @"mov\.b32\s+(%r\d+), 32768;";
    private const string OtherParity = "{ .reg .b32 t; xor.b32 t, $2, 1; mbarrier.try_wait.parity.shared::cta.b64 p, [$1], t; }";
    private const string Passed = "setp.eq.b32 p, 0, 0;";

    // What stands first in the entry is the producer's, then the consumers': the order of the source.
    [Theory]
    [InlineData("the producer waits for no one", Wait, Passed, 0, PtxFault.InvalidBarrier)]
    [InlineData("the producer waits for the wrong phase", Wait, OtherParity, 0, PtxFault.Deadlock)]
    [InlineData("the consumers do not wait", Wait, Passed, 1, PtxFault.IncompleteCopy, PtxFault.UninitializedShared)]
    [InlineData("the consumers wait for the wrong phase", Wait, OtherParity, 1, PtxFault.IncompleteCopy, PtxFault.UninitializedShared)]
    [InlineData("the consumers ask once", AskAgain, "$1", 1, PtxFault.Race)]
    [InlineData("no stage is released", Arrival, "", 0, PtxFault.Deadlock)]
    [InlineData("the last stage is not released", Arrival, "", 1, PtxFault.Deadlock)]
    [InlineData("one warp speaks for another", @"bar\.warp\.sync 0xffffffff;", "", 0, PtxFault.Race)]
    [InlineData("no bytes are expected", Expectation, "mbarrier.arrive.shared::cta.b64 $1;", 0, PtxFault.IncompleteCopy, PtxFault.InvalidBarrier)]
    [InlineData("the producer does not arrive", Expectation, "", 0, PtxFault.Deadlock)]
    [InlineData("too many bytes are expected", Bytes, "mov.b32 $1, 40976;", 0, PtxFault.Deadlock)]
    [InlineData("too few bytes are expected", Bytes, "mov.b32 $1, 40944;", 0, PtxFault.Deadlock)]
    [InlineData("a panel's bytes are not expected", Bytes, "mov.b32 $1, 39936;", 0, PtxFault.IncompleteCopy, PtxFault.InvalidBarrier)]
    [InlineData("the tokens are not copied", Copy, "", 0, PtxFault.Deadlock)]
    [InlineData("a copy of odd size", TokenBytes, "mov.b32 $1, 32760;", 0, PtxFault.Misaligned)]
    [InlineData("a copy of the next tile", TokenBytes, "mov.b32 $1, 65536;", 0, PtxFault.OutOfBounds, PtxFault.Race, PtxFault.IncompleteCopy)]
    [InlineData("barriers are not published", @"fence\.mbarrier_init\.release\.cluster;", "", 0, PtxFault.Race)]
    [InlineData("the copy engine does not see the barriers", @"fence\.proxy\.async\.shared::cta;", "", 0, PtxFault.Race)]
    [InlineData("nobody waits for the barriers", @"bar\.sync\s+0;", "", 0, PtxFault.Race, PtxFault.InvalidBarrier)]
    [InlineData("a barrier is not made", @"mbarrier\.init\.\S+ \[%r\d+\], %r\d+;", "", 0, PtxFault.InvalidBarrier)]
    [InlineData("a barrier counts the consumers as one", @"mbarrier\.init(\.\S+ \[%r\d+\]), %r\d+;", "mbarrier.init$1, 1;", 1, PtxFault.Deadlock)]
    [InlineData("a barrier counts one warp less", @"mbarrier\.init(\.\S+ \[%r\d+\]), %r\d+;", "mbarrier.init$1, 7;", 1, PtxFault.Race)]
    [InlineData("the registers are not given", @"setmaxnreg\.dec\.sync\.aligned\.u32 40;", "", 0, PtxFault.Deadlock)]
    [InlineData("the first step has no fence", @"wgmma\.fence\.sync\.aligned;", "", 0, PtxFault.Race)]
    [InlineData("the second step has no fence", @"wgmma\.fence\.sync\.aligned;", "", 1, PtxFault.Race)]
    [InlineData("the first step is not waited for", @"wgmma\.wait_group\.sync\.aligned 1;", "", 0, PtxFault.Race)]
    [InlineData("the second step is not waited for", @"wgmma\.wait_group\.sync\.aligned 1;", "", 1, PtxFault.Race)]
    [InlineData("a step too many is under way", @"wgmma\.wait_group\.sync\.aligned 1;", "wgmma.wait_group.sync.aligned 2;", 0, PtxFault.Race)]
    [InlineData("the last step is not waited for", @"wgmma\.wait_group\.sync\.aligned 0;", "", 0, PtxFault.UninitializedRegister, PtxFault.Race)]
    [InlineData("a step is not committed", @"wgmma\.commit_group\.sync\.aligned;", "", 0, PtxFault.Race)]
    public void Is_reported(string what, string pattern, string replacement, int occurrence, params PtxFault[] expected)
    {
        var fault = Assert.Throws<PtxException>(() => Mismatches(Mutation.Replace("wide_w4a8", pattern, replacement, occurrence), 65, 1280));
        Assert.True(expected.Contains(fault.Fault), $"{what}: {fault.Message}");
    }

    [Fact]
    public void Swapped_operands_give_other_numbers()
    {
        var mutation = Mutation.Replace("wide_w4a8", @"(wgmma\.mma_async\S+ \{[^}]*\}, \{)(%r\d+), (%r\d+)", "$1$3, $2");
        Assert.True(Mismatches(mutation, 65, 4160) >= 16 * 65);
    }

    [Fact]
    public void Undamaged_it_is_right() => Assert.Equal(0, Mismatches((_, text) => text, 65, 1280));

    /// <summary>How many outputs differ from the CPU's: one block, two tiles.</summary>
    private static int Mismatches(Func<string, string, string> mutation, int tokens, int inputs)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, tokens, [192], inputs);
        var prepared = problem.Prepare();
        using var device = new EmulatedDevice(mutation) { ComputeCapability = 90 };
        using var layers = new DeviceLayers(device, problem) { Multiprocessors = 1 };
        return problem.Expect(prepared)[0].Data.Zip(layers.Run(prepared)[0].Data).Count(pair => pair.First != pair.Second);
    }
}
