using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class BFloat16Tests
{
    [Fact]
    public void Every_bf16_value_survives_the_way_to_fp32_and_back()
    {
        var all = Enumerable.Range(0, 1 << 16).Select(i => (ushort)i).ToArray();
        var floats = new float[all.Length];
        BFloat16.Widen(all, floats);
        for (var i = 0; i < all.Length; i++)
        {
            Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(floats[i]));
        }

        var back = new ushort[all.Length];
        BFloat16.Narrow(floats, back);
        for (var i = 0; i < all.Length; i++)
        {
            // A signalling NaN comes back quiet: bit 6 set.
            Assert.Equal(float.IsNaN(floats[i]) ? (ushort)(i | 0x40) : (ushort)i, back[i]);
        }
    }

    [Fact]
    public void Narrowing_chooses_the_nearest_neighbour_and_the_even_one_on_a_tie()
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, 100_003).Select(i => BitConverter.UInt32BitsToSingle(
            (i % 3) switch { 0 => (uint)random.Next() << 1, 1 => ((uint)random.Next(1 << 16) << 16) | 0x8000, _ => (uint)random.Next() }))
            .Where(float.IsFinite).ToArray();
        var narrowed = new ushort[values.Length];
        BFloat16.Narrow(values, narrowed);
        for (var i = 0; i < values.Length; i++)
        {
            Assert.Equal(NearestByComparison(values[i]), narrowed[i]);
            Assert.Equal(narrowed[i], BFloat16.FromSingle(values[i]));
        }
    }

    [Theory]
    [InlineData(float.PositiveInfinity, 0x7F80)]
    [InlineData(float.NegativeInfinity, 0xFF80)]
    [InlineData(float.MaxValue, 0x7F80)]
    [InlineData(-0f, 0x8000)]
    public void Extremes_narrow_as_ieee_rounding_says(float value, int bits)
    {
        var narrowed = new ushort[40];
        BFloat16.Narrow(Enumerable.Repeat(value, 40).ToArray(), narrowed);
        Assert.All(narrowed, n => Assert.Equal(bits, n));
    }

    [Theory]
    [InlineData(0x7F80_0001u)]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0xFFFF_FFFFu)]
    public void A_nan_stays_a_nan_whatever_its_lost_bits(uint bits)
    {
        var values = Enumerable.Repeat(BitConverter.UInt32BitsToSingle(bits), 40).ToArray();
        BFloat16.Round(values);
        Assert.All(values, v => Assert.True(float.IsNaN(v)));
    }

    [Fact]
    public void Rounding_equals_narrowing_and_widening()
    {
        var random = new Random(2);
        var values = Enumerable.Range(0, 77).Select(_ => (random.NextSingle() - 0.5f) * 1000).ToArray();
        var narrowed = new ushort[77];
        BFloat16.Narrow(values, narrowed);
        BFloat16.Round(values);
        Assert.Equal(narrowed.Select(BFloat16.ToSingle), values);
    }

    // The two neighbours by truncation and by one step away from zero, compared in FP64.
    private static ushort NearestByComparison(float value)
    {
        var below = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
        var above = (ushort)(below + 1);
        double low = BFloat16.ToSingle(below);
        double high = float.IsFinite(BFloat16.ToSingle(above)) ? BFloat16.ToSingle(above) : Math.CopySign(Math.Pow(2, 128), value);
        var down = Math.Abs(value - low);
        var up = Math.Abs(high - value);
        return down < up || (down == up && below % 2 == 0) ? below : above;
    }
}
