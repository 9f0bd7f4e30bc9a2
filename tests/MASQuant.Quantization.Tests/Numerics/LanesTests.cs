using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Tests.Numerics;

/// <summary>Every vector loop against a scalar one that follows the documented order: equal to the last bit, so equal on every machine.</summary>
public class LanesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(93)]
    public void Dot_products_add_lane_by_lane(int count)
    {
        var (a, b) = (RandomMatrices.Real(1, count, 1).Data, RandomMatrices.Real(1, count, 2).Data);
        var sums = new double[8];
        var vectors = count / 8 * 8;
        for (var i = 0; i < vectors; i++)
        {
            sums[i % 8] = Math.FusedMultiplyAdd(a[i], b[i], sums[i % 8]);
        }

        var total = 0.0;
        foreach (var sum in sums)
        {
            total += sum;
        }

        for (var i = vectors; i < count; i++)
        {
            total = Math.FusedMultiplyAdd(a[i], b[i], total);
        }

        Assert.Equal(total, Lanes.Dot<double>(a, b));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(45)]
    public void Updates_and_rotations_round_once_per_operation(int count)
    {
        var (a, b) = (RandomMatrices.Single(1, count, 3).Data, RandomMatrices.Single(1, count, 4).Data);
        var sums = b.ToArray();
        Lanes.AddScaled(0.3f, a, sums);
        Assert.Equal(a.Zip(b, (x, y) => MathF.FusedMultiplyAdd(0.3f, x, y)), sums);
        var (c, s) = (0.8f, 0.6f);
        var (rotatedA, rotatedB) = (a.ToArray(), b.ToArray());
        Lanes.Rotate<float>(c, s, rotatedA, rotatedB);
        Assert.Equal(a.Zip(b, (x, y) => MathF.FusedMultiplyAdd(c, x, -(s * y))), rotatedA);
        Assert.Equal(a.Zip(b, (x, y) => MathF.FusedMultiplyAdd(s, x, c * y)), rotatedB);
    }
}
