using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

public class TokenWeightsTests
{
    [Fact]
    public void Ranks_fall_as_logits_rise()
    {
        float[] falling = [float.PositiveInfinity, float.MaxValue, 1.5f, 1, float.Epsilon, 0, -float.Epsilon, -1, -1.5f, float.MinValue, float.NegativeInfinity, float.NaN];
        var (ranks, _) = Fill(falling, 0, 1);
        Assert.Equal(ranks.Order(), ranks);
        Assert.Equal(falling.Length, ranks.Distinct().Count());
        Assert.Equal(TokenWeights.LastRank, ranks[^1]);

        // Zeros of both signs are equal; so are all that are no numbers.
        (ranks, _) = Fill([0f, -0f, float.NaN, -float.NaN], 0, 1);
        Assert.Equal([ranks[0], ranks[0], ranks[2], ranks[2]], ranks);
    }

    [Theory]
    [InlineData(1e-3)]
    [InlineData(0.7)]
    [InlineData(1)]
    [InlineData(100)]
    public void Weights_are_the_softmaxes_numerators(double temperature)
    {
        var random = new Random(4);
        for (var length = 1; length < 70; length++)
        {
            var logits = Enumerable.Range(0, length).Select(_ => (float)((random.NextDouble() * 40 * temperature) - 10)).ToArray();
            var (_, weights) = Fill(logits, logits.Max(), (float)(1 / temperature));
            for (var id = 0; id < length; id++)
            {
                // With u = 2⁻²⁴: the difference, the scale and their product are off by u each, relative to x; the power by 2u; rounding to an integer adds 2⁻⁴⁰. 1 % covers their products.
                var x = ((double)logits[id] - logits.Max()) / temperature;
                var bound = (1.01 * Math.Exp(x) * ((3 * Math.Abs(x)) + 2) * Math.ScaleB(1, -24)) + Math.ScaleB(1, -40);
                Assert.InRange(Math.ScaleB(weights[id], -TokenWeights.Exponent), Math.Exp(x) - bound, Math.Exp(x) + bound);
            }

            Assert.Contains(1ul << TokenWeights.Exponent, weights);
        }
    }

    [Fact]
    public void What_cannot_be_drawn_weighs_nothing()
    {
        float[] logits = [float.NaN, float.NegativeInfinity, float.MinValue, -28, 0, -27];
        Assert.Equal([true, true, true, true, false, false], Fill(logits, 0, 1).Weights.Select(weight => weight == 0));

        // The largest weighs the same however low the temperature.
        Assert.Equal([0, 0, 0, 0, 1ul << TokenWeights.Exponent, 0], Fill(logits, 0, float.MaxValue).Weights);
    }

    private static (uint[] Ranks, ulong[] Weights) Fill(float[] logits, float largest, float scale)
    {
        var (ranks, weights) = (new uint[logits.Length], new ulong[logits.Length]);
        TokenWeights.Fill(logits, largest, scale, ranks, weights);
        return (ranks, weights);
    }
}
