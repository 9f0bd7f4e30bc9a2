namespace MASQuant.Cuda.Tests.Ptx;

/// <summary>Each class of instructions on values worked out by hand from the PTX manual.</summary>
public sealed class InstructionTests
{
    [Theory]
    [InlineData("add.s32 %r2, %r1, -1;", 5u, 4u)]
    [InlineData("sub.s32 %r2, 3, %r1;", 5u, 0xFFFFFFFEu)]
    [InlineData("mul.lo.s32 %r2, %r1, %r1;", 0x10001u, 0x20001u)]
    [InlineData("mul.hi.u32 %r2, %r1, 16;", 0x90000000u, 9u)]
    [InlineData("mad.lo.s32 %r2, %r1, 3, 4;", 5u, 19u)]
    [InlineData("mul.wide.s32 %rd5, %r1, -2; shr.u64 %rd6, %rd5, 32; cvt.u32.u64 %r2, %rd6;", 1u, 0xFFFFFFFFu)]
    [InlineData("cvt.u16.u32 %rs0, %r1; mul.wide.u16 %r2, %rs0, 1024;", 0x7FFFFu, 0x3FFFC00u)]
    [InlineData("cvt.u16.u32 %rs0, %r1; mul.hi.u16 %rs1, %rs0, 5462; cvt.u32.u16 %r2, %rs1;", 0x7FFFFu, 0x1555u)]
    [InlineData("div.s32 %r2, %r1, 2;", 0xFFFFFFF9u, 0xFFFFFFFDu)]
    [InlineData("rem.s32 %r2, %r1, 4;", 0xFFFFFFF9u, 0xFFFFFFFDu)]
    [InlineData("min.s32 %r2, %r1, 1;", 0xFFFFFFFFu, 0xFFFFFFFFu)]
    [InlineData("min.u32 %r2, %r1, 1;", 0xFFFFFFFFu, 1u)]
    [InlineData("neg.s32 %r2, %r1;", 1u, 0xFFFFFFFFu)]
    [InlineData("shl.b32 %r2, %r1, 32;", 1u, 0u)]
    [InlineData("shr.s32 %r2, %r1, 40;", 0x80000000u, 0xFFFFFFFFu)]
    [InlineData("shr.u32 %r2, %r1, 4;", 0x80000000u, 0x08000000u)]
    [InlineData("bfe.u32 %r2, %r1, 4, 8;", 0x12345678u, 0x67u)]
    [InlineData("lop3.b32 %r2, %r1, 12, 10, 0xE8;", 9u, 8u)] // the majority of 1001, 1100, 1010
    [InlineData("prmt.b32 %r2, %r1, 0x43434343, 0x4140;", 0x04030201u, 0x43024301u)]
    [InlineData("prmt.b32 %r2, %r1, 0, 0x9910;", 0x00008001u, 0xFFFF8001u)]
    [InlineData("popc.b32 %r2, %r1;", 0xF0F1u, 9u)]
    [InlineData("shf.l.wrap.b32 %r2, %r1, 1, 8;", 0xAB000000u, 0x1ABu)]
    public void IntegersAndBits(string body, uint input, uint expected) => Assert.Equal(expected, Snippet.Run(body, input));

    // 2⁶³ · (2⁶⁴ − 1) / 2⁶⁴ is 2⁶³ less one half; 2⁶³ / 3 has 2⁶³ mod 3 = 2 left, its low half is 0xAAAAAAAA.
    [Theory]
    [InlineData("mov.b64 %rd7, -1; mul.hi.u64 %rd8, %rd6, %rd7; shr.u64 %rd9, %rd8, 32; cvt.u32.u64 %r2, %rd9;", 0x7FFFFFFFu)]
    [InlineData("mov.b64 %rd7, -1; mul.hi.u64 %rd8, %rd7, %rd6; cvt.u32.u64 %r2, %rd8;", 0xFFFFFFFFu)]
    [InlineData("not.b64 %rd7, %rd6; shr.u64 %rd8, %rd7, 32; cvt.u32.u64 %r2, %rd8;", 0x7FFFFFFFu)]
    [InlineData("mov.b64 %rd7, 3; div.u64 %rd8, %rd6, %rd7; cvt.u32.u64 %r2, %rd8;", 0xAAAAAAAAu)]
    [InlineData("mov.b64 %rd7, 3; div.u64 %rd8, %rd6, %rd7; shr.u64 %rd9, %rd8, 32; cvt.u32.u64 %r2, %rd9;", 0x2AAAAAAAu)]
    public void Long_integers(string body, uint expected) => Assert.Equal(expected, Snippet.Run("mul.wide.u32 %rd5, %r1, 1; shl.b64 %rd6, %rd5, 63; " + body, 1));

    [Theory]
    [InlineData("add.rn.f32 %r2, %r1, 0f33800000;", 0x3F800000u, 0x3F800000u)] // 1 + 2⁻²⁴: a tie, to even
    [InlineData("add.rn.f32 %r2, %r1, 0f33800001;", 0x3F800000u, 0x3F800001u)]
    [InlineData("mul.rn.f32 %r2, %r1, 0f3F000000;", 0x00000002u, 0x00000001u)] // subnormal numbers count
    [InlineData("fma.rn.f32 %r2, %r1, %r1, 0fBF800000;", 0x3F800003u, 0x35400002u)] // (1 + 3·2⁻²³)² − 1 = 1.5·2⁻²¹ + 9·2⁻⁴⁶: one rounding
    [InlineData("div.rn.f32 %r2, %r1, 0f40400000;", 0x3F800000u, 0x3EAAAAABu)]
    [InlineData("sqrt.rn.f32 %r2, %r1;", 0x40000000u, 0x3FB504F3u)]
    [InlineData("ex2.approx.f32 %r2, %r1;", 0x40400000u, 0x41000000u)]
    [InlineData("max.f32 %r2, %r1, 0f3F800000;", 0x7FC00000u, 0x3F800000u)] // a number wins over NaN
    [InlineData("neg.f32 %r2, %r1;", 0x3F800000u, 0xBF800000u)]
    [InlineData("fma.rn.bf16x2 %r2, %r1, %r3, %r4;", 0x43084300u, 0x41000000u)] // 136 and 128, each · 1 − 128
    public void Floats(string body, uint input, uint expected)
        => Assert.Equal(expected, Snippet.Run("mov.b32 %r3, 0x3f803f80; mov.b32 %r4, 0xc300c300; " + body, input));

    [Theory]
    [InlineData("cvt.rni.s32.f32 %r2, %r1;", 0x40200000u, 2u)] // 2.5
    [InlineData("cvt.rni.s32.f32 %r2, %r1;", 0xC0600000u, 0xFFFFFFFCu)] // −3.5
    [InlineData("cvt.rzi.s32.f32 %r2, %r1;", 0xC0600000u, 0xFFFFFFFDu)]
    [InlineData("cvt.rni.s32.f32 %r2, %r1;", 0x7FC00000u, 0u)] // NaN
    [InlineData("cvt.rn.f32.s32 %r2, %r1;", 0x01000001u, 0x4B800000u)] // 2²⁴ + 1: a tie, to even
    [InlineData("cvt.rn.bf16x2.f32 %r2, 0f3F800000, %r1;", 0x3F808000u, 0x3F803F80u)] // a tie, to even
    [InlineData("cvt.rn.bf16x2.f32 %r2, 0f3F800000, %r1;", 0x3F818000u, 0x3F803F82u)]
    [InlineData("cvt.s64.s32 %rd5, %r1; shr.u64 %rd6, %rd5, 32; cvt.u32.u64 %r2, %rd6;", 0x80000000u, 0xFFFFFFFFu)]
    [InlineData("cvt.f64.f32 %rd5, %r1; add.rn.f64 %rd6, %rd5, 0d3CA0000000000000; sub.rn.f64 %rd5, %rd6, %rd5; cvt.rn.f32.f64 %r2, %rd5;", 0x3F800000u, 0u)] // 1 + 2⁻⁵³: a tie, to even
    [InlineData("cvt.f64.f32 %rd5, %r1; add.rn.f64 %rd6, %rd5, 0d3CA0000000000001; sub.rn.f64 %rd5, %rd6, %rd5; cvt.rn.f32.f64 %r2, %rd5;", 0x3F800000u, 0x25800000u)]
    [InlineData("cvt.f64.f32 %rd5, %r1; mul.rn.f64 %rd6, %rd5, %rd5; neg.f64 %rd5, %rd6; cvt.rn.f32.f64 %r2, %rd5;", 0x40400000u, 0xC1100000u)]
    [InlineData("cvt.f64.f32 %rd5, %r1; rcp.rn.f64 %rd6, %rd5; div.rn.f64 %rd5, %rd6, %rd5; cvt.rn.f32.f64 %r2, %rd5;", 0x40800000u, 0x3D800000u)]
    [InlineData("cvt.f64.f32 %rd5, %r1; cvt.rni.f64.f64 %rd6, %rd5; cvt.rzi.s32.f64 %r2, %rd6;", 0xC0200000u, 0xFFFFFFFEu)] // −2.5
    [InlineData("cvt.f64.f32 %rd5, %r1; cvt.rzi.s32.f64 %r2, %rd5;", 0x7FC00000u, 0u)] // NaN
    [InlineData("cvt.rn.f64.s32 %rd5, %r1; cvt.rn.f32.f64 %r2, %rd5;", 0xFFFFFFFEu, 0xC0000000u)]
    [InlineData("cvt.f64.f32 %rd5, %r1; setp.ltu.f64 %p0, %rd5, 0d0000000000000000; selp.b32 %r2, 1, 0, %p0;", 0x7FC00000u, 1u)]
    [InlineData("cvt.f64.f32 %rd5, %r1; setp.lt.f64 %p0, %rd5, 0d0000000000000000; selp.b32 %r2, 1, 0, %p0;", 0x7FC00000u, 0u)]
    [InlineData("cvt.rni.u64.f32 %rd5, %r1; cvt.u32.u64 %r2, %rd5;", 0x40200000u, 2u)] // 2.5
    [InlineData("cvt.rni.u64.f32 %rd5, %r1; shr.u64 %rd6, %rd5, 32; cvt.u32.u64 %r2, %rd6;", 0x53000001u, 0x80u)] // 2³⁹ + 2¹⁶
    [InlineData("cvt.rni.u64.f32 %rd5, %r1; cvt.u32.u64 %r2, %rd5;", 0x53000001u, 0x10000u)]
    [InlineData("mov.b32 {%rs0, %rs1}, %r1; mov.b32 %r2, {%rs1, %rs0};", 0x12345678u, 0x56781234u)]
    public void Conversions(string body, uint input, uint expected) => Assert.Equal(expected, Snippet.Run(body, input));

    [Theory]
    [InlineData("setp.lt.s32 %p0, %r1, 0;", 0x80000000u, 1u)]
    [InlineData("setp.lt.u32 %p0, %r1, 0;", 0x80000000u, 0u)]
    [InlineData("setp.gtu.f32 %p0, %r1, 0f00000000;", 0x7FC00000u, 1u)]
    [InlineData("setp.gt.f32 %p0, %r1, 0f00000000;", 0x7FC00000u, 0u)]
    [InlineData("setp.num.f32 %p0, %r1, %r1;", 0x7FC00000u, 0u)]
    [InlineData("setp.eq.b32 %p1, %r1, 7; setp.ne.b32 %p2, %r1, 8; and.pred %p0, %p1, %p2;", 7u, 1u)]
    [InlineData("setp.eq.b32 %p1, %r1, 7; not.pred %p0, %p1;", 7u, 0u)]
    [InlineData("cvt.s64.s32 %rd5, %r1; setp.lt.s64 %p0, %rd5, 0;", 0x80000000u, 1u)]
    public void Comparisons_and_selections(string body, uint input, uint expected) => Assert.Equal(expected, Snippet.Run(body + " selp.b32 %r2, 1, 0, %p0;", input));

    [Fact]
    public void Guards_hold_for_their_lanes_alone()
        => Assert.Equal(Lanes(i => i < 5 ? 100u : i), Snippet.Run("mov.b32 %r2, %r1; setp.lt.u32 %p0, %r1, 5; @%p0 mov.b32 %r2, 100;", Lanes(i => i)));

    [Fact]
    public void Lanes_that_part_meet_again()
    {
        // Lane i sums i + (i − 1) + … + 1; all meet for the shuffle, which reverses the lanes.
        const string body = """
            mov.b32 %r3, 0;
            mov.b32 %r4, %r1;
            LOOP:
            setp.eq.b32 %p0, %r4, 0;
            @%p0 bra DONE;
            add.s32 %r3, %r3, %r4;
            add.s32 %r4, %r4, -1;
            bra.uni LOOP;
            DONE:
            shfl.sync.bfly.b32 %r2, %r3, 31, 31, 0xffffffff;
            """;
        Assert.Equal(Lanes(i => (31 - i) * (32 - i) / 2), Snippet.Run(body, Lanes(i => i)));
    }

    [Fact]
    public void Lanes_wait_at_a_barrier_for_those_further_down()
    {
        // The compiler may put a loop behind the code that follows it.
        const string body = """
            mov.b32 %r2, %r1;
            setp.lt.u32 %p0, %r1, 5;
            @%p0 bra BODY;
            JOIN:
            bar.sync 0;
            bra.uni DONE;
            BODY:
            add.s32 %r2, %r2, 100;
            bra.uni JOIN;
            DONE:
            """;
        Assert.Equal(Lanes(i => i < 5 ? i + 100 : i), Snippet.Run(body, Lanes(i => i)));
    }

    [Fact]
    public void Ballots_see_every_lane()
        => Assert.Equal(Lanes(_ => 0xAAAAAAAAu), Snippet.Run("and.b32 %r3, %r1, 1; setp.eq.b32 %p0, %r3, 1; vote.sync.ballot.b32 %r2, %p0, 0xffffffff;", Lanes(i => i)));

    [Fact]
    public void Shared_memory_passes_between_warps()
    {
        const string body = """
            mov.b32 %r3, memory;
            shl.b32 %r4, %r0, 2;
            add.s32 %r5, %r3, %r4;
            st.shared.b32 [%r5], %r1;
            bar.sync 0;
            sub.s32 %r6, 252, %r4;
            add.s32 %r7, %r3, %r6;
            ld.shared.b32 %r2, [%r7];
            """;
        Assert.Equal([.. Enumerable.Range(0, 64).Select(i => (uint)(63 - i))], Snippet.Run(body, [.. Enumerable.Range(0, 64).Select(i => (uint)i)], 64));
    }

    [Fact]
    public void Shared_sums_count_every_thread()
    {
        // Threads of a word of 8 add 3 each to it.
        const string body = """
            mov.b32 %r3, memory;
            shr.u32 %r4, %r0, 3;
            shl.b32 %r5, %r4, 2;
            add.s32 %r6, %r3, %r5;
            and.b32 %r7, %r0, 7;
            setp.eq.b32 %p0, %r7, 0;
            @%p0 st.shared.b32 [%r6], %r4;
            bar.sync 0;
            atom.shared.add.u32 %r8, [%r6], 3;
            bar.sync 0;
            ld.shared.b32 %r2, [%r6];
            """;
        Assert.Equal([.. Enumerable.Range(0, 64).Select(i => (uint)((i / 8) + 24))], Snippet.Run(body, new uint[64], 64));
    }

    [Fact]
    public void Vectors_are_loaded_in_order()
        => Assert.Equal(3u + (10 * 2) + (100 * 1), Snippet.Run(
            "ld.global.v4.b32 {%r3, %r4, %r5, %r6}, [%rd0]; mad.lo.s32 %r7, %r5, 10, %r6; mad.lo.s32 %r2, %r4, 100, %r7;", Lanes(i => i))[0]);

    [Fact]
    public void Copies_arrive_when_waited_for()
    {
        // The lower half is copied, the upper filled with zeros.
        const string body = """
            mov.b32 %r3, memory;
            shl.b32 %r4, %r0, 4;
            add.s32 %r5, %r3, %r4;
            setp.lt.u32 %p0, %r0, 4;
            selp.b32 %r6, 16, 0, %p0;
            mul.wide.u32 %rd5, %r4, 1;
            add.s64 %rd6, %rd0, %rd5;
            selp.b64 %rd7, %rd6, %rd0, %p0;
            cp.async.cg.shared.global [%r5], [%rd7], 16, %r6;
            cp.async.commit_group;
            cp.async.wait_group 0;
            ld.shared.b32 %r2, [%r5+4];
            """;
        Assert.Equal(Lanes(i => i < 4 ? (4 * i) + 1 : 0), Snippet.Run(body, Lanes(i => i)));
    }

    [Fact]
    public void Byte_products_follow_the_fragment_layout()
    {
        // A[g, 4t + e] = g + 1 where t = 0, e = 0 alone; B[0, column g] = 2g − 5: C[row, column] = (row + 1)(2·column − 5), rows from 8 on zero.
        const string body = """
            shr.u32 %r3, %r0, 2;
            and.b32 %r4, %r0, 3;
            setp.eq.b32 %p0, %r4, 0;
            add.s32 %r5, %r3, 1;
            selp.b32 %r10, %r5, 0, %p0;
            mad.lo.s32 %r6, %r3, 2, -5;
            and.b32 %r6, %r6, 255;
            selp.b32 %r11, %r6, 0, %p0;
            mov.b32 %r12, 0;
            mov.b32 %r13, 7;
            mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r20, %r21, %r22, %r23}, {%r10, %r12, %r12, %r12}, {%r11, %r12}, {%r13, %r13, %r13, %r13};
            shl.b32 %r30, %r21, 16;
            and.b32 %r31, %r20, 255;
            or.b32 %r32, %r30, %r31;
            shl.b32 %r33, %r23, 8;
            or.b32 %r2, %r32, %r33;
            """;
        Assert.Equal(Lanes(i =>
        {
            int g = (int)i / 4, t = (int)i % 4;
            int low = ((g + 1) * ((4 * t) - 5)) + 7, high = ((g + 1) * ((4 * t) - 3)) + 7;
            return ((uint)high << 16) | ((uint)low & 255) | (7 << 8);
        }), Snippet.Run(body, Lanes(i => i)));
    }

    // The manual's formulas for fragments of m16n8k64, element by element, beside the sum that defines a product.
    [Fact]
    public void Nibble_products_follow_the_fragment_layout()
    {
        var random = new Random(1);
        var (a, b, c) = (new int[16, 64], new int[64, 8], new int[16, 8]);
        foreach (var (matrix, low, high) in ((int[,], int, int)[])[(a, -8, 8), (b, -8, 8), (c, -1000, 1000)])
        {
            for (var i = 0; i < matrix.Length; i++)
            {
                matrix[i / matrix.GetLength(1), i % matrix.GetLength(1)] = random.Next(low, high);
            }
        }

        // Words of a lane: four of A, two of B, four of C, 32 lanes each.
        var words = new uint[10 * 32];
        for (var lane = 0; lane < 32; lane++)
        {
            var (group, thread) = (lane >> 2, lane % 4);
            for (var i = 0; i < 32; i++)
            {
                var row = i is < 8 or (>= 16 and < 24) ? group : group + 8;
                words[(i / 8 * 32) + lane] |= (uint)(a[row, (thread * 8) + (i & 7) + (i < 16 ? 0 : 32)] & 15) << (4 * (i % 8));
            }

            for (var i = 0; i < 16; i++)
            {
                words[((4 + (i / 8)) * 32) + lane] |= (uint)(b[(thread * 8) + (i & 7) + (i < 8 ? 0 : 32), group] & 15) << (4 * (i % 8));
            }

            for (var i = 0; i < 4; i++)
            {
                words[((6 + i) * 32) + lane] = (uint)c[i < 2 ? group : group + 8, (thread * 2) + (i & 1)];
            }
        }

        var loads = string.Concat(Enumerable.Range(0, 10).Select(word => $"ld.global.b32 %r{10 + word}, [%rd3+{128 * word}]; "));
        for (var i = 0; i < 4; i++)
        {
            var d = Snippet.Run(
                loads + $$"""
                mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32 {%r20, %r21, %r22, %r23}, {%r10, %r11, %r12, %r13}, {%r14, %r15}, {%r16, %r17, %r18, %r19};
                mov.b32 %r2, %r{{20 + i}};
                """,
                words);
            for (var lane = 0; lane < 32; lane++)
            {
                var (row, column) = (i < 2 ? lane >> 2 : (lane >> 2) + 8, (lane % 4 * 2) + (i & 1));
                var sum = c[row, column];
                for (var k = 0; k < 64; k++)
                {
                    sum += a[row, k] * b[k, column];
                }

                Assert.Equal(sum, (int)d[lane]);
            }
        }
    }

    [Fact]
    public void Half_products_follow_the_fragment_layout()
    {
        // A[8 + g, 2t + 8] = 1, B[2t + 8, g] = 2: four products of each row from 8 on with each column, C = 3 + 4 · 2.
        const string body = """
            mov.b32 %r10, 0;
            mov.b32 %r11, 0x3f80;
            mov.b32 %r12, 0x4000;
            mov.b32 %r13, 0f40400000;
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r20, %r21, %r22, %r23}, {%r10, %r10, %r10, %r11}, {%r10, %r12}, {%r13, %r13, %r13, %r13};
            add.rn.f32 %r2, %r20, %r23;
            """;
        Assert.Equal(BitConverter.SingleToUInt32Bits(3 + 11), Snippet.Run(body, 0));
    }

    private static uint[] Lanes(Func<uint, uint> value) => [.. Enumerable.Range(0, 32).Select(i => value((uint)i))];
}
