using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Ptx;

/// <summary>Products of a warpgroup in flight: what may be touched, and when.</summary>
public sealed class WarpgroupTests
{
    private const int TileBytes = 256 * 128;

    // A tile of B whose every byte is 1; A of the first product is 1, of the second 2 everywhere: each sum grows by 32, then by 64.
    private const string Fill = """
        mov.b32 %r3, memory;
        shl.b32 %r4, %r0, 2;
        add.s32 %r5, %r3, %r4;
        add.s32 %r6, %r3, 32768;
        mov.b32 %r7, 0x01010101;
        FILL:
        st.shared.b32 [%r5], %r7;
        add.s32 %r5, %r5, 128;
        setp.lt.u32 %p0, %r5, %r6;
        @%p0 bra FILL;
        fence.proxy.async.shared::cta;
        bar.sync 0;
        shr.u32 %r8, %r3, 4;
        cvt.u64.u32 %rd5, %r8;
        or.b64 %rd6, %rd5, 4611686293305360384;
        mov.b32 %r12, 0x02020202;
        """;

    private static readonly string Sums = string.Join(", ", Enumerable.Range(100, 128).Select(i => $"%r{i}"));
    private static readonly string Start = Fill + string.Concat(Enumerable.Range(100, 128).Select(i => $"mov.b32 %r{i}, 5;")) + "mov.b32 %r10, %r7; mov.b32 %r11, %r12; wgmma.fence.sync.aligned;";

    private const string Commit = "wgmma.commit_group.sync.aligned;";
    private const string Wait1 = "wgmma.wait_group.sync.aligned 1;";
    private const string Wait0 = "wgmma.wait_group.sync.aligned 0;";

    private static string Multiply(string a) => $"wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {{{Sums}}}, {{{a}, {a}, {a}, {a}}}, %rd6, 1;";

    private static string Two => Start + Multiply("%r10") + Commit + Multiply("%r11") + Commit;

    [Fact]
    public void Groups_in_flight_add_up() => Assert.Equal(5u + 32 + 64, Run(Two + Wait1 + Wait0 + "mov.b32 %r2, %r163;"));

    [Fact]
    public void Operands_of_a_complete_group_are_free() => Assert.Equal(5u + 32 + 64 + 64, Run(Two + Wait1 + "mov.b32 %r10, %r12; wgmma.fence.sync.aligned;" + Multiply("%r10") + Commit + Wait0 + "mov.b32 %r2, %r227;"));

    [Fact]
    public void Operands_of_a_group_in_flight_are_not() => Assert.Equal(PtxFault.Race, Fault(Two + Wait1 + "mov.b32 %r11, 7;" + Wait0 + "mov.b32 %r2, %r100;"));

    [Fact]
    public void Sums_in_flight_are_not_read() => Assert.Equal(PtxFault.UninitializedRegister, Fault(Two + Wait1 + "mov.b32 %r2, %r100;" + Wait0));

    [Fact]
    public void Sums_in_flight_are_not_written() => Assert.Equal(PtxFault.Race, Fault(Two + Wait1 + "mov.b32 %r100, 0;" + Wait0 + "mov.b32 %r2, %r100;"));

    [Fact]
    public void Operands_are_fenced_before_they_are_read() => Assert.Equal(PtxFault.Race, Fault(Two + Wait1 + "mov.b32 %r10, %r12;" + Multiply("%r10") + Commit + Wait0 + "mov.b32 %r2, %r100;"));

    [Fact]
    public void Sums_are_fenced_before_they_are_added_to() => Assert.Equal(PtxFault.Race, Fault(Start + "mov.b32 %r130, 6;" + Multiply("%r10") + Commit + Wait0 + "mov.b32 %r2, %r100;"));

    private static uint Run(string body)
    {
        var output = Snippet.Run(body, new uint[32], sharedBytes: TileBytes);
        return Assert.Single(output.Distinct());
    }

    private static PtxFault Fault(string body) => Snippet.Fault(body, sharedBytes: TileBytes);
}
