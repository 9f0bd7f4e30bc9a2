using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Tests.Layers;

public class SoftmaxTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(1000)]
    public void Probabilities_equal_the_formula(int count)
    {
        var row = Oracle.Random(count, 5, 40f);
        var expected = Oracle.Softmax(row, 0.125);

        Softmax.Apply(row, 0.125f);

        // The exponent, at most 80/8 = 10, carries two roundings (10·ε), the exponential ε, the sum as much again plus (K/16 + 5)·ε/2, the product with the inverse ε.
        var tolerance = (23 + ((count / 16) + 5) / 2.0) * Oracle.Epsilon;
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(expected[i], row[i], tolerance * expected[i]);
        }
    }

    [Fact]
    public void Large_scores_do_not_overflow()
    {
        float[] row = [3e38f, 3e38f, -3e38f];
        Softmax.Apply(row);
        Assert.Equal([0.5f, 0.5f, 0f], row);
    }

    [Fact]
    public void Minus_infinity_is_masked()
    {
        float[] row = [float.NegativeInfinity, 1f, 1f];
        Softmax.Apply(row);
        Assert.Equal([0f, 0.5f, 0.5f], row);
    }
}
