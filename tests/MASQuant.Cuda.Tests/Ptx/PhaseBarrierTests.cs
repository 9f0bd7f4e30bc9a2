using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Ptx;

/// <summary>Barriers in shared memory, and the copies that report to them: what passes between warps, and what is refused.</summary>
public sealed class PhaseBarrierTests
{
    // %r3: memory, whose first 16 bytes hold two barriers; %r5: the thread's own word behind them; %p0: thread 0; %p1: the second warp.
    private const string Places = "mov.b32 %r3, memory; shl.b32 %r4, %r0, 2; add.s32 %r5, %r3, %r4; add.s32 %r5, %r5, 16; setp.eq.b32 %p0, %r0, 0; setp.ge.u32 %p1, %r0, 32; mov.b32 %r2, 0;";
    private const string Fences = "fence.mbarrier_init.release.cluster; fence.proxy.async.shared::cta; bar.sync 0;";
    private const string Half = Places + "@%p0 mbarrier.init.shared::cta.b64 [%r3], 32;" + Fences;
    private const string Single = Places + "@%p0 mbarrier.init.shared::cta.b64 [%r3], 1;" + Fences;
    private const string Arrive = "mbarrier.arrive.shared::cta.b64 _, [%r3];";
    private const string Expect128 = "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r3], 128;";
    private const string Copy128 = "add.s32 %r8, %r3, 16; @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r8], [%rd0], 128, [%r3];";

    private static string Wait(int parity, string label = "AGAIN") => $"{label}: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r3], {parity}; @!%p2 bra {label};";

    // The first warp writes and arrives; the second waits and reads the first's words.
    private static string Hand(string arrive, string wait) => Half + $"@%p1 bra SECOND; st.shared.b32 [%r5], %r1; {arrive} bra.uni DONE; SECOND: {wait} ld.shared.b32 %r2, [%r5+-128]; DONE:";

    [Fact]
    public void Who_waits_for_a_phase_sees_what_was_written_before()
        => Assert.Equal([.. Enumerable.Repeat(0u, 32), .. Enumerable.Range(0, 32).Select(i => (uint)i)], Snippet.Run(Hand(Arrive, Wait(0)), Lanes(64), 64));

    // The interpreter starts with the first warp: here it is the one that waits.
    private static string Await(string wait) => Half + "@!%p1 bra FIRST; st.shared.b32 [%r5], %r1;" + Arrive + $"bra.uni DONE; FIRST: {wait} ld.shared.b32 %r2, [%r5+128]; DONE:";

    [Fact]
    public void Who_waits_before_the_others_arrive_sees_it_too_once_they_do()
        => Assert.Equal([.. Enumerable.Range(32, 32).Select(i => (uint)i), .. Enumerable.Repeat(0u, 32)], Snippet.Run(Await(Wait(0)), Lanes(64), 64));

    [Fact]
    public void Phases_alternate_their_parity()
    {
        // Before the first phase ends parity 1 has passed; then 0, then 1 again. Four bits: after no, one, two phases.
        static string Probe(int parity, int bit) => $"mbarrier.test_wait.parity.shared::cta.b64 %p3, [%r3], {parity}; selp.b32 %r6, {1 << bit}, 0, %p3; or.b32 %r2, %r2, %r6;";
        Assert.Equal(0b0110u, Snippet.Run(Half + Probe(1, 1) + Arrive + Probe(0, 2) + Arrive + Probe(1, 1) + "mov.b32 %r7, 0;", 0));
    }

    [Fact]
    public void Copies_arrive_with_their_phase()
        => Assert.Equal(Lanes(32), Snippet.Run(Single + Expect128 + Copy128 + Wait(0) + "ld.shared.b32 %r2, [%r5];", Lanes(32)));

    [Fact]
    public void Bytes_of_all_copies_count()
    {
        const string two = "add.s32 %r8, %r3, 16; add.s32 %r9, %r3, 80; add.s64 %rd5, %rd0, 64;"
            + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r8], [%rd5], 64, [%r3]; @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r9], [%rd0], 64, [%r3];";
        Assert.Equal([.. Enumerable.Range(0, 32).Select(i => (uint)(i + 16) % 32)], Snippet.Run(Single + Expect128 + two + Wait(0) + "ld.shared.b32 %r2, [%r5];", Lanes(32)));
    }

    [Fact]
    public void Registers_are_taken_from_who_gives_them()
        => Snippet.Run("mov.b32 %r2, 0; setp.ge.u32 %p1, %r0, 256; @%p1 bra GIVE; setmaxnreg.inc.sync.aligned.u32 232; bra.uni DONE; GIVE: setmaxnreg.dec.sync.aligned.u32 40; DONE:", Lanes(384), 384);

    [Theory]
    [InlineData("mov.b32 %r2, 0; setmaxnreg.inc.sync.aligned.u32 232;", PtxFault.Deadlock)]
    [InlineData("mov.b32 %r2, 0; setmaxnreg.dec.sync.aligned.u32 232;", PtxFault.Unknown)]
    [InlineData("mov.b32 %r2, 0; setmaxnreg.dec.sync.aligned.u32 44;", PtxFault.Unknown)]
    public void Registers_that_nobody_has_are_refused(string body, PtxFault expected) => Assert.Equal(expected, Snippet.Fault(body, 384));

    [Fact]
    public void Who_does_not_wait_races() => Assert.Equal(PtxFault.Race, Snippet.Fault(Hand(Arrive, ""), 64));

    [Fact]
    public void Who_asks_once_races() => Assert.Equal(PtxFault.Race, Snippet.Fault(Await("mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r3], 0;"), 64));

    [Fact]
    public void Who_arrives_before_it_writes_races()
        => Assert.Equal(PtxFault.Race, Snippet.Fault(Half + "@%p1 bra SECOND;" + Arrive + "st.shared.b32 [%r5], %r1; bra.uni DONE; SECOND: " + Wait(0) + "ld.shared.b32 %r2, [%r5+-128]; DONE:", 64));

    // One lane speaks for its warp only where the warp has met.
    [Theory]
    [InlineData("", true)]
    [InlineData("bar.warp.sync 0xffffffff;", false)]
    public void One_lane_speaks_for_the_warp_that_has_met(string meet, bool races)
    {
        var body = Single + "@%p1 bra SECOND; st.shared.b32 [%r5], %r1;" + meet + "@%p0 " + Arrive + "bra.uni DONE; SECOND: " + Wait(0) + "ld.shared.b32 %r2, [%r5+-128]; DONE:";
        if (races)
        {
            Assert.Equal(PtxFault.Race, Snippet.Fault(body, 64));
        }
        else
        {
            Snippet.Run(body, Lanes(64), 64);
        }
    }

    // The first two warps read a word, the third waits for as many as arrive and writes it: all readers count, not the last alone.
    [Theory]
    [InlineData(32, "setp.ge.u32 %p4, %r0, 32;", true)]
    [InlineData(64, "setp.ge.u32 %p4, %r0, 0;", false)]
    public void A_writer_waits_for_every_reader(int count, string arrives, bool races)
    {
        var body = Places + $"@%p0 mbarrier.init.shared::cta.b64 [%r3], {count}; @%p0 st.shared.b32 [%r3+16], %r1;" + Fences + arrives
            + "setp.ge.u32 %p3, %r0, 64; @%p3 bra WRITE; ld.shared.b32 %r2, [%r3+16]; @%p4 " + Arrive + "bra.uni DONE; WRITE: " + Wait(0) + "setp.eq.b32 %p5, %r0, 64; @%p5 st.shared.b32 [%r3+16], %r1; DONE:";
        if (races)
        {
            Assert.Equal(PtxFault.Race, Snippet.Fault(body, 96));
        }
        else
        {
            Snippet.Run(body, Lanes(96), 96);
        }
    }

    // What one lane has waited for, its warp knows once it has met; the lane knows at once.
    [Theory]
    [InlineData("", "", true)]
    [InlineData("bar.warp.sync 0xffffffff;", "", false)]
    [InlineData("", "@%p3", false)]
    public void One_lane_waits_for_the_warp_that_meets(string meet, string reader, bool races)
    {
        var wait = $"setp.eq.b32 %p3, %r0, 0; AGAIN: @%p3 mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r3], 0; @!%p3 bra NEXT; @!%p2 bra AGAIN; NEXT: {meet} {reader}";
        var body = Await(wait);
        if (races)
        {
            Assert.Equal(PtxFault.Race, Snippet.Fault(body, 64));
        }
        else
        {
            Snippet.Run(body, Lanes(64), 64);
        }
    }

    [Theory]
    [InlineData(Single + Expect128 + Copy128 + "ld.shared.b32 %r2, [%r5];", PtxFault.IncompleteCopy)]
    [InlineData(Single + Copy128 + "st.shared.b32 [%r5], %r1;", PtxFault.IncompleteCopy)]
    [InlineData(Single + "st.shared.b32 [%r5], %r1;" + Expect128 + Copy128, PtxFault.Race)]
    [InlineData(Single + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r5], [%rd0+8], 64, [%r3];", PtxFault.Misaligned)]
    [InlineData(Single + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r5], [%rd0], 72, [%r3];", PtxFault.Misaligned)]
    [InlineData(Single + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r5], [%rd0+16], 128, [%r3];", PtxFault.OutOfBounds)]
    [InlineData(Single + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd0], 16, [%r3];", PtxFault.InvalidBarrier)]
    [InlineData(Single + "ld.shared.b32 %r2, [%r3];", PtxFault.InvalidBarrier)]
    [InlineData(Places + Expect128, PtxFault.InvalidBarrier)]
    [InlineData(Single + Arrive, PtxFault.InvalidBarrier)]
    [InlineData(Places + "@%p0 mbarrier.init.shared::cta.b64 [%r3], 0;", PtxFault.InvalidBarrier)]
    [InlineData(Places + "add.s32 %r8, %r3, 4; @%p0 mbarrier.init.shared::cta.b64 [%r8], 1;", PtxFault.Misaligned)]
    [InlineData(Places + "@%p0 mbarrier.init.shared::cta.b64 [%r3], 1; fence.mbarrier_init.release.cluster;" + Expect128 + Copy128, PtxFault.Race)]
    [InlineData(Places + "@%p0 mbarrier.init.shared::cta.b64 [%r3], 1; fence.proxy.async.shared::cta;" + Expect128 + Copy128, PtxFault.Race)]
    public void Refused(string body, PtxFault expected) => Assert.Equal(expected, Snippet.Fault(body));

    [Theory]
    [InlineData("@%p0 mbarrier.init.shared::cta.b64 [%r3], 32; bar.sync 0;")]
    [InlineData("@%p0 mbarrier.init.shared::cta.b64 [%r3], 32; fence.mbarrier_init.release.cluster;")]
    public void A_barrier_of_another_warp_is_published_first(string made) => Assert.Equal(PtxFault.Race, Snippet.Fault(Places + made + "@%p1 " + Arrive, 64));

    [Fact]
    public void Bytes_that_no_copy_brings_are_waited_for_in_vain()
        => Assert.Equal(PtxFault.Deadlock, Snippet.Fault(Single + "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r3], 144;" + Copy128 + Wait(0)));

    // 16 bytes end the phase, and the next 112 belong to none.
    [Fact]
    public void Bytes_that_nobody_expects_are_reported()
        => Assert.Equal(PtxFault.InvalidBarrier, Snippet.Fault(Single + "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r3], 16; add.s32 %r8, %r3, 16; add.s32 %r9, %r3, 32;"
            + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r8], [%rd0], 16, [%r3];"
            + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r9], [%rd0], 112, [%r3];" + Wait(0)));

    [Fact]
    public void A_phase_that_nobody_ends_is_waited_for_in_vain() => Assert.Equal(PtxFault.Deadlock, Snippet.Fault(Single + Wait(0)));

    private static uint[] Lanes(int count) => [.. Enumerable.Range(0, count).Select(i => (uint)i)];
}
