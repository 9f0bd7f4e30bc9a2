using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Ptx;

/// <summary>What the interpreter refuses, each beside the correct form that it accepts.</summary>
public sealed class FaultTests
{
    private const string OwnWord = "mov.b32 %r3, memory; shl.b32 %r4, %r0, 2; add.s32 %r5, %r3, %r4;";
    private const string OneWord = "mov.b32 %r3, memory;";
    private const string WrittenOnce = "mov.b32 %r2, 0; setp.lt.u32 %p1, %r0, 32; setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; bar.sync 0;";
    private const string NeighboursWord = "xor.b32 %r6, %r4, 4; add.s32 %r7, %r3, %r6;";
    private const string OtherWarpsWord = "xor.b32 %r6, %r4, 128; add.s32 %r7, %r3, %r6;";
    private const string StartCopy = "mov.b32 %r3, memory; shl.b32 %r4, %r0, 4; add.s32 %r5, %r3, %r4; cp.async.cg.shared.global [%r5], [%rd0], 16; cp.async.commit_group;";

    [Theory]
    [InlineData("ld.global.b32 %r2, [%rd0+128];")]
    [InlineData("ld.global.b32 %r2, [%rd0+-4];")]
    [InlineData("mov.b32 %r3, 1024; ld.shared.b32 %r2, [%r3];")]
    public void Out_of_bounds(string body) => Assert.Equal(PtxFault.OutOfBounds, Snippet.Fault(body));

    [Fact]
    public void An_access_across_the_end_is_out_of_bounds()
    {
        var words = new uint[33]; // 132 bytes
        Assert.Equal([0u], Snippet.Run("ld.global.v2.b32 {%r2, %r3}, [%rd0+120];", words).Distinct());
        Assert.Equal(PtxFault.OutOfBounds, Assert.Throws<PtxException>(() => Snippet.Run("ld.global.v2.b32 {%r2, %r3}, [%rd0+128];", words)).Fault);
    }

    [Fact]
    public void Stores_out_of_bounds() => Assert.Equal(PtxFault.OutOfBounds, Snippet.Fault("mov.b32 %r2, 0; st.global.b32 [%rd4+4], %r2;"));

    [Theory]
    [InlineData("ld.global.v2.b32 {%r2, %r3}, [%rd0+4];")]
    [InlineData("ld.global.b32 %r2, [%rd0+2];")]
    [InlineData("mov.b32 %r3, memory; cp.async.cg.shared.global [%r3], [%rd0+8], 16; mov.b32 %r2, 0;")]
    public void Misaligned(string body) => Assert.Equal(PtxFault.Misaligned, Snippet.Fault(body));

    [Theory]
    [InlineData("add.s32 %r2, %r9, 1;")]
    [InlineData("setp.eq.b32 %p0, %r0, 3; @%p0 mov.b32 %r9, 1; add.s32 %r2, %r9, 1;")]
    [InlineData("@%p5 bra NEXT; NEXT: mov.b32 %r2, 1;")]
    [InlineData("add.s64 %rd9, %rd8, 1; mov.b32 %r2, 1;")]
    public void Uninitialized_registers(string body) => Assert.Equal(PtxFault.UninitializedRegister, Snippet.Fault(body));

    [Theory]
    [InlineData("mov.b32 %r3, memory; ld.shared.b32 %r2, [%r3];")]
    [InlineData("mov.b32 %r3, memory; atom.shared.add.u32 %r2, [%r3], 1;")]
    [InlineData("mov.b32 %r3, memory; cvt.u16.u32 %rs0, %r1; setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b16 [%r3], %rs0; bar.sync 0; ld.shared.b32 %r2, [%r3];")]
    public void Uninitialized_shared_memory(string body) => Assert.Equal(PtxFault.UninitializedShared, Snippet.Fault(body));

    [Theory]
    [InlineData(OwnWord + NeighboursWord + "st.shared.b32 [%r5], %r1; ld.shared.b32 %r2, [%r7];")]
    [InlineData(OwnWord + OtherWarpsWord + "st.shared.b32 [%r5], %r1; bar.sync 0; ld.shared.b32 %r2, [%r7]; st.shared.b32 [%r5], %r1;")]
    [InlineData("mov.b32 %r3, memory; st.shared.b32 [%r3], %r1; mov.b32 %r2, 0;")]
    [InlineData(OwnWord + OtherWarpsWord + "st.shared.b32 [%r5], %r1; bar.warp.sync 0xffffffff; st.shared.b32 [%r7], %r1; mov.b32 %r2, 0;")]
    [InlineData(OneWord + WrittenOnce + "@%p1 ld.shared.b32 %r2, [%r3]; @!%p1 atom.shared.add.u32 %r2, [%r3], 1;")]
    [InlineData(OneWord + WrittenOnce + "@%p1 atom.shared.add.u32 %r2, [%r3], 1; @!%p1 ld.shared.b32 %r2, [%r3];")]
    [InlineData(OneWord + WrittenOnce + "@%p1 atom.shared.add.u32 %r2, [%r3], 1; setp.eq.b32 %p2, %r0, 32; @%p2 st.shared.b32 [%r3], %r1;")]
    [InlineData(OneWord + "setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; atom.shared.add.u32 %r2, [%r3], 1;")]
    [InlineData(OneWord + "setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; bar.sync 0; atom.shared.add.u32 %r4, [%r3], 1; ld.shared.b32 %r2, [%r3];")]
    [InlineData(OneWord + "setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; bar.sync 0; ld.shared.b32 %r2, [%r3]; atom.shared.add.u32 %r4, [%r3], 1;")]
    [InlineData(OneWord + "setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; bar.sync 0; atom.shared.add.u32 %r2, [%r3], 1; @%p0 st.shared.b32 [%r3], %r1;")]
    public void Races(string body) => Assert.Equal(PtxFault.Race, Snippet.Fault(body, 64));

    // Within one warp, where nobody else comes upon it.
    [Theory]
    [InlineData(OneWord + "setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; bar.sync 0; atom.shared.add.u32 %r2, [%r3], 1; @%p0 st.shared.b32 [%r3], %r1;")]
    [InlineData(OneWord + "setp.eq.b32 %p0, %r0, 0; @%p0 st.shared.b32 [%r3], %r1; bar.sync 0; atom.shared.add.u32 %r4, [%r3], 1; @%p0 ld.shared.b32 %r2, [%r3]; mov.b32 %r2, 0;")]
    public void Lanes_that_update_race_with_one_that_does_not(string body) => Assert.Equal(PtxFault.Race, Snippet.Fault(body));

    [Theory]
    [InlineData(OwnWord + NeighboursWord + "st.shared.b32 [%r5], %r1; bar.warp.sync 0xffffffff; ld.shared.b32 %r2, [%r7];")]
    [InlineData(OwnWord + OtherWarpsWord + "st.shared.b32 [%r5], %r1; bar.sync 0; ld.shared.b32 %r2, [%r7]; bar.sync 0; st.shared.b32 [%r5], %r1;")]
    public void Barriers_order_what_would_race(string body) => Snippet.Run(body, [.. Enumerable.Range(0, 64).Select(i => (uint)i)], 64);

    [Theory]
    [InlineData(StartCopy + "ld.shared.b32 %r2, [%r5];")]
    [InlineData(StartCopy + "cp.async.wait_group 1; ld.shared.b32 %r2, [%r5];")]
    [InlineData(StartCopy + "st.shared.b32 [%r5], %r1; mov.b32 %r2, 0;")]
    public void Incomplete_copies(string body) => Assert.Equal(PtxFault.IncompleteCopy, Snippet.Fault(body));

    [Fact]
    public void Waiting_for_own_copies_does_not_cover_those_of_others()
        => Assert.Equal(PtxFault.Race, Snippet.Fault(StartCopy + "cp.async.wait_group 0; xor.b32 %r6, %r4, 16; add.s32 %r7, %r3, %r6; ld.shared.b32 %r2, [%r7];"));

    [Theory]
    [InlineData("setp.lt.u32 %p0, %r0, 7; @%p0 bar.sync 0; mov.b32 %r2, 0;")]
    [InlineData("setp.lt.u32 %p0, %r0, 32; @%p0 bar.sync 0; mov.b32 %r2, 0;")]
    [InlineData("mov.b32 %r2, 0; setp.lt.u32 %p0, %r0, 32; @%p0 ret; bar.sync 0;")]
    public void Divergent_barriers(string body) => Assert.Equal(PtxFault.DivergentBarrier, Snippet.Fault(body, 64));

    [Fact]
    public void Divergent_shuffles()
        => Assert.Equal(PtxFault.DivergentWarp, Snippet.Fault("mov.b32 %r2, 0; setp.lt.u32 %p0, %r0, 7; @%p0 shfl.sync.bfly.b32 %r2, %r1, 1, 31, 0xffffffff;"));

    [Theory]
    [InlineData("frobnicate.b32 %r2, %r1;")]
    [InlineData("bar.sync 1, 32; mov.b32 %r2, 0;")]
    [InlineData("bra NOWHERE;")]
    public void Unknown(string body) => Assert.Equal(PtxFault.Unknown, Snippet.Fault(body));
}
