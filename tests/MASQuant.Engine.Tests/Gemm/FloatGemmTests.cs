using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>Every path of <see cref="FloatGemm"/> equals <see cref="FloatGemmReference"/> bit for bit, whatever the instruction set and the thread count.</summary>
public sealed class FloatGemmTests
{
    // Heights around every tile, widths around one and two panels, depths around one, two and three blocks.
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 32, 64 }, { 1, 33, 513 }, { 2, 31, 8 }, { 3, 64, 512 }, { 5, 17, 1030 }, { 6, 40, 70 }, { 7, 96, 24 },
        { 8, 65, 129 }, { 13, 32, 80 }, { 14, 33, 511 }, { 15, 100, 33 }, { 29, 64, 1025 }, { 45, 48, 16 }, { 80, 80, 64 }, { 337, 70, 40 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_transposition_equals_the_reference(int m, int n, int k)
    {
        var random = new RandomValues((m * 7919) + (n * 31) + k);
        foreach (var accumulate in new[] { false, true })
        {
            foreach (var (transposeA, transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                var a = transposeA ? random.Matrix(k, m) : random.Matrix(m, k);
                var b = transposeB ? random.Matrix(n, k) : random.Matrix(k, n);
                var before = random.Array(m * n);
                var expected = (float[])before.Clone();
                FloatGemmReference.Multiply(
                    m, n, k, a.Span, transposeA ? 1 : k, transposeA ? m : 1, b.Span, transposeB ? k : 1, transposeB ? 1 : n, expected, n, accumulate);

                foreach (var target in CpuTargets.All())
                {
                    var c = new Matrix(m, n, (float[])before.Clone());
                    FloatGemm.Multiply(a, transposeA, b, transposeB, c, accumulate, target);
                    Bits.AssertSame(expected, c.Data);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Strided_products_touch_only_their_part(int m, int n, int k)
    {
        var random = new RandomValues(m + n + k);
        int strideA = k + 3, strideB = k + 5, strideC = n + 2;
        float[] a = random.Array(m * strideA), b = random.Array(n * strideB), before = random.Array(m * strideC);
        float[] expected = (float[])before.Clone();
        FloatGemmReference.Multiply(m, n, k, a, strideA, 1, b, strideB, 1, expected, strideC);
        foreach (var target in CpuTargets.All(1))
        {
            var c = (float[])before.Clone();
            FloatGemm.MultiplyNT(m, n, k, a, strideA, b, strideB, c, strideC, target: target);
            Bits.AssertSame(expected, c);
        }

        int strideRows = n + 4;
        float[] rows = random.Array(k * strideRows);
        expected = (float[])before.Clone();
        FloatGemmReference.Multiply(m, n, k, a, strideA, 1, rows, 1, strideRows, expected, strideC, accumulate: true);
        foreach (var target in CpuTargets.All(1))
        {
            var c = (float[])before.Clone();
            FloatGemm.MultiplyNN(m, n, k, a, strideA, rows, strideRows, c, strideC, accumulate: true, target);
            Bits.AssertSame(expected, c);
        }

        int strideColumns = m + 1;
        float[] columns = random.Array(k * strideColumns);
        expected = (float[])before.Clone();
        FloatGemmReference.Multiply(m, n, k, columns, 1, strideColumns, rows, 1, strideRows, expected, strideC);
        foreach (var target in CpuTargets.All(1))
        {
            var c = (float[])before.Clone();
            FloatGemm.MultiplyTN(m, n, k, columns, strideColumns, rows, strideRows, c, strideC, target: target);
            Bits.AssertSame(expected, c);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Packed_weights_equal_the_reference(int m, int n, int k)
    {
        var random = new RandomValues(m * n * k);
        var x = random.Matrix(m, k);
        var bias = random.Array(n);
        var weight = random.Matrix(n, k);
        var halves = new byte[n * k * 2];
        for (var i = 0; i < n * k; i++)
        {
            // Cut to BF16, so that both storages hold the same numbers.
            var bits = BitConverter.SingleToUInt32Bits(weight.Data[i]) >> 16;
            weight.Data[i] = BitConverter.UInt32BitsToSingle(bits << 16);
            BitConverter.TryWriteBytes(halves.AsSpan(2 * i), (ushort)bits);
        }

        var expected = new float[m * n];
        FloatGemmReference.Multiply(m, n, k, x.Span, k, 1, weight.Span, k, 1, expected, n);
        var biased = new float[m * n];
        for (var i = 0; i < biased.Length; i++)
        {
            biased[i] = expected[i] + bias[i % n];
        }

        DenseWeight[] packed = [DenseWeight.FromFloats(weight), DenseWeight.FromBFloat16(halves, n, k)];
        foreach (var target in CpuTargets.All())
        {
            foreach (var form in packed)
            {
                var y = new Matrix(m, n);
                FloatGemm.Multiply(x, form, default, y, target);
                Bits.AssertSame(expected, y.Data);
                FloatGemm.Multiply(x, form, bias, y, target);
                Bits.AssertSame(biased, y.Data);
            }
        }

        var c = new Matrix(m, n);
        FloatGemm.MultiplyTransposed(x, weight, bias, c);
        Bits.AssertSame(biased, c.Data);
    }

    [Fact]
    public void A_block_is_added_only_when_it_is_complete()
    {
        // 1 followed by 2⁻²⁴ in the same block is lost 512 times over; in a block of its own it survives as 512 · 2⁻²⁴ = 2⁻¹⁵.
        var a = new float[1024];
        Array.Fill(a, MathF.Pow(2, -24), 512, 512);
        a[0] = 1;
        var ones = new float[1024];
        Array.Fill(ones, 1f);
        var c = new float[1];
        FloatGemm.MultiplyNT(1, 1, 1024, a, 1024, ones, 1024, c, 1);
        Assert.Equal(1 + MathF.Pow(2, -15), c[0]);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => FloatGemm.Multiply(new Matrix(2, 3), false, new Matrix(4, 5), false, new Matrix(2, 5)));
        Assert.Throws<ArgumentException>(() => FloatGemm.Multiply(new Matrix(2, 3), DenseWeight.FromFloats(new Matrix(4, 3)), new float[3], new Matrix(2, 4)));
        Assert.Throws<ArgumentException>(() => FloatGemm.MultiplyNT(2, 2, 4, new float[7], 4, new float[8], 4, new float[4], 2));
        Assert.Throws<ArgumentException>(() => DenseWeight.FromBFloat16(new byte[15], 2, 4));
    }
}
