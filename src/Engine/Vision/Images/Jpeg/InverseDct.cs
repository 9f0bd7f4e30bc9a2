namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>libjpeg's accurate integer inverse DCT (<c>jidctint.c</c>, "islow"): Loeffler, Ligtenberg and Moschytz's 12-multiplication form in 13-bit fixed point.</summary>
internal static class InverseDct
{
    private const int ConstBits = 13;

    // Bits of fraction kept between the passes.
    private const int PassBits = 2;

    // √2·cos(kπ/16) and their sums, × 2¹³.
    private const int F0298631336 = 2446;
    private const int F0390180644 = 3196;
    private const int F0541196100 = 4433;
    private const int F0765366865 = 6270;
    private const int F0899976223 = 7373;
    private const int F1175875602 = 9633;
    private const int F1501321110 = 12299;
    private const int F1847759065 = 15137;
    private const int F1961570560 = 16069;
    private const int F2053119869 = 16819;
    private const int F2562915447 = 20995;
    private const int F3072711026 = 25172;

    /// <summary>Dequantizes and transforms a block of 64 coefficients into 8 rows of 8 samples, <paramref name="stride"/> apart.</summary>
    public static void Transform(ReadOnlySpan<short> coefficients, ReadOnlySpan<ushort> steps, Span<byte> samples, int stride)
    {
        Span<int> work = stackalloc int[64];
        for (var i = 0; i < 64; i++)
        {
            work[i] = coefficients[i] * steps[i];
        }

        for (var column = 0; column < 8; column++)
        {
            Pass(work[column..], 8, ConstBits - PassBits);
        }

        for (var row = 0; row < 8; row++)
        {
            var values = work.Slice(row * 8, 8);
            Pass(values, 1, ConstBits + PassBits + 3);
            for (var i = 0; i < 8; i++)
            {
                samples[(row * stride) + i] = (byte)Math.Clamp(values[i] + 128, 0, 255);
            }
        }
    }

    private static void Pass(Span<int> v, int stride, int shift)
    {
        // Even part.
        var (z2, z3) = (v[2 * stride], v[6 * stride]);
        var z1 = (z2 + z3) * F0541196100;
        var tmp2 = z1 - (z3 * F1847759065);
        var tmp3 = z1 + (z2 * F0765366865);
        var tmp0 = (v[0] + v[4 * stride]) << ConstBits;
        var tmp1 = (v[0] - v[4 * stride]) << ConstBits;
        var (tmp10, tmp13) = (tmp0 + tmp3, tmp0 - tmp3);
        var (tmp11, tmp12) = (tmp1 + tmp2, tmp1 - tmp2);

        // Odd part.
        (tmp0, tmp1, tmp2, tmp3) = (v[7 * stride], v[5 * stride], v[3 * stride], v[stride]);
        var z5 = (tmp0 + tmp1 + tmp2 + tmp3) * F1175875602;
        z1 = -(tmp0 + tmp3) * F0899976223;
        z2 = -(tmp1 + tmp2) * F2562915447;
        z3 = z5 - ((tmp0 + tmp2) * F1961570560);
        var z4 = z5 - ((tmp1 + tmp3) * F0390180644);
        tmp0 = (tmp0 * F0298631336) + z1 + z3;
        tmp1 = (tmp1 * F2053119869) + z2 + z4;
        tmp2 = (tmp2 * F3072711026) + z2 + z3;
        tmp3 = (tmp3 * F1501321110) + z1 + z4;

        var half = 1 << (shift - 1);
        v[0] = (tmp10 + tmp3 + half) >> shift;
        v[7 * stride] = (tmp10 - tmp3 + half) >> shift;
        v[stride] = (tmp11 + tmp2 + half) >> shift;
        v[6 * stride] = (tmp11 - tmp2 + half) >> shift;
        v[2 * stride] = (tmp12 + tmp1 + half) >> shift;
        v[5 * stride] = (tmp12 - tmp1 + half) >> shift;
        v[3 * stride] = (tmp13 + tmp0 + half) >> shift;
        v[4 * stride] = (tmp13 - tmp0 + half) >> shift;
    }
}
