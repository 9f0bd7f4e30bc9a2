using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Tests.Layers;

public class SegmentAttentionTests
{
    [Theory]
    [InlineData(4, 8, new[] { 0, 5, 6, 150 })]
    [InlineData(1, 20, new[] { 0, 64 })]
    [InlineData(2, 80, new[] { 0, 300, 1500 })]
    public void Segments_see_themselves_only(int heads, int d, int[] bounds)
    {
        var (q, k, v) = (Values(bounds[^1], heads * d, 1), Values(bounds[^1], heads * d, 2), Values(bounds[^1], heads * d, 3));
        var y = Values(bounds[^1], heads * d, 4);

        SegmentAttention.Apply(q, k, v, heads, bounds, y);

        // All inputs are within ±1, so a score of d products is off by at most d·d·ε/2 and, divided by √d, its exponential by d^1.5·ε/2 relative; the softmax adds
        // 2√d + 1 for the exponent (at most 2√d) and the exponential. The normalizing sum is off by as much plus (S/16 + 5)/2; weighting the values adds S/2.
        // Each block of 128 keys may multiply what was before: exponents that together are at most 2√d, and two roundings in weights and in their sum.
        var tolerance = ((d * Math.Sqrt(d)) + (4 * ((2 * Math.Sqrt(d)) + 1)) + (((k.Rows / 16.0) + 5) / 2) + 2 + (k.Rows / 2.0) + (4 * (k.Rows / 128))) * Oracle.Epsilon;
        for (var row = 0; row < q.Rows; row++)
        {
            var (start, end) = (bounds.Last(b => b <= row), bounds.First(b => b > row));
            for (var head = 0; head < heads; head++)
            {
                var weights = Weights(q, k, row, head * d, d, start, end);
                for (var column = head * d; column < (head + 1) * d; column++)
                {
                    Assert.Equal(weights.Select((w, i) => w * v[start + i, column]).Sum(), y[row, column], tolerance);
                }
            }
        }
    }

    [Fact]
    public void Cancellation_is_reported()
        => Assert.Throws<OperationCanceledException>(() => SegmentAttention.Apply(Values(4, 8, 1), Values(4, 8, 2), Values(4, 8, 3), 1, [0, 4], new Matrix(4, 8), new CancellationToken(canceled: true)));

    [Fact]
    public void Segments_must_cover_the_rows()
        => Assert.Throws<ArgumentException>("bounds", () => SegmentAttention.Apply(Values(4, 8, 1), Values(4, 8, 2), Values(4, 8, 3), 1, [0, 3], new Matrix(4, 8)));

    private static Matrix Values(int rows, int columns, int seed) => new(rows, columns, Oracle.Random(rows * columns, seed));

    private static double[] Weights(Matrix q, Matrix k, int row, int column, int d, int start, int end)
    {
        var weights = new double[end - start];
        for (var s = start; s < end; s++)
        {
            weights[s - start] = Math.Exp(Enumerable.Range(column, d).Sum(i => (double)q[row, i] * k[s, i]) / Math.Sqrt(d));
        }

        var sum = weights.Sum();
        return [.. weights.Select(w => w / sum)];
    }
}
