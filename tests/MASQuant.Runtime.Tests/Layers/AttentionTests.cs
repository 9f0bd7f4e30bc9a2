using MASQuant.Layers;
using MASQuant.Tensors;

namespace MASQuant.Tests.Layers;

public class AttentionTests
{
    [Theory]
    [InlineData(4, 8, new[] { 0, 5, 6, 150 })]
    [InlineData(1, 20, new[] { 0, 64 })]
    public void SegmentsSeeThemselvesOnly(int heads, int d, int[] bounds)
    {
        var (q, k, v) = (Values(bounds[^1], heads * d, 1), Values(bounds[^1], heads * d, 2), Values(bounds[^1], heads * d, 3));
        var y = Values(bounds[^1], heads * d, 4);

        Attention.Forward(q, k, v, heads, bounds, y);

        AssertEqualsFormula(q, k, v, y, heads, heads, d, row =>
        {
            var end = bounds.First(b => b > row);
            return (bounds.Last(b => b <= row), end);
        });
    }

    [Theory]
    [InlineData(1, 0, 4, 2)]
    [InlineData(1, 37, 6, 2)]
    [InlineData(150, 0, 4, 1)]
    [InlineData(70, 11, 4, 4)]
    public void CausalQueriesSeeTheCacheAndThemselves(int tokens, int offset, int heads, int keyValueHeads)
    {
        const int D = 16;
        var q = Values(tokens, heads * D, 5);
        // Rows beyond the sequence are a cache's spare room.
        var (k, v) = (Values(offset + tokens + 3, keyValueHeads * D, 6), Values(offset + tokens + 3, keyValueHeads * D, 7));
        var y = Values(tokens, heads * D, 8);

        Attention.ForwardCausal(q, k, v, heads, keyValueHeads, offset, y);

        AssertEqualsFormula(q, k, v, y, heads, keyValueHeads, D, row => (0, offset + row + 1));
    }

    [Fact]
    public void TokenByTokenEqualsAllAtOnce()
    {
        var (q, k, v) = (Values(67, 4 * 8, 9), Values(67, 2 * 8, 10), Values(67, 2 * 8, 11));
        var (whole, step) = (new Matrix(67, 32), new Matrix(1, 32));
        Attention.ForwardCausal(q, k, v, 4, 2, 0, whole);

        for (var token = 0; token < q.Rows; token++)
        {
            Attention.ForwardCausal(new Matrix(1, 32, q.Row(token).ToArray()), k, v, 4, 2, token, step);
            Assert.Equal(whole.Row(token).ToArray(), step.Data);
        }
    }

    [Fact]
    public void ThreadsDoNotChangeABit()
    {
        var (q, k, v) = (Values(200, 32, 12), Values(200, 32, 13), Values(200, 32, 14));
        var (one, many) = (new Matrix(200, 32), new Matrix(200, 32));
        var before = Workers.Count;
        try
        {
            Workers.Count = 1;
            Attention.Forward(q, k, v, 4, [0, 100, 200], one);
            Workers.Count = 3;
            Attention.Forward(q, k, v, 4, [0, 100, 200], many);
        }
        finally
        {
            Workers.Count = before;
        }

        Assert.Equal(one.Data, many.Data);
    }

    [Fact]
    public void CancellationIsReported()
        => Assert.Throws<OperationCanceledException>(() => Attention.Forward(Values(4, 8, 1), Values(4, 8, 2), Values(4, 8, 3), 1, [0, 4], new Matrix(4, 8), new CancellationToken(canceled: true)));

    [Fact]
    public void AnOffsetBeyondTheCacheIsRefused()
        => Assert.Throws<ArgumentOutOfRangeException>("offset", () => Attention.ForwardCausal(Values(2, 8, 1), Values(4, 8, 2), Values(4, 8, 3), 1, 1, 3, new Matrix(2, 8)));

    private static Matrix Values(int rows, int columns, int seed) => new(rows, columns, Oracle.Random(rows * columns, seed));

    private static void AssertEqualsFormula(Matrix q, Matrix k, Matrix v, Matrix y, int heads, int keyValueHeads, int d, Func<int, (int Start, int End)> visible)
    {
        // All inputs are within ±1, so a score of d products is off by at most d·d·ε/2 and, divided by √d, its exponential by d^1.5·ε/2 relative; the softmax adds
        // 2√d + 1 for the exponent (at most 2√d) and the exponential. The normalizing sum is off by as much plus (S/16 + 5)/2; weighting the values adds S/2.
        var tolerance = ((d * Math.Sqrt(d)) + (2 * ((2 * Math.Sqrt(d)) + 1)) + (((k.Rows / 16.0) + 5) / 2) + 2 + (k.Rows / 2.0)) * Oracle.Epsilon;
        for (var row = 0; row < q.Rows; row++)
        {
            var (start, end) = visible(row);
            for (var head = 0; head < heads; head++)
            {
                var shared = head / (heads / keyValueHeads) * d;
                var weights = Weights(q, k, row, head * d, shared, d, start, end);
                for (var column = 0; column < d; column++)
                {
                    var expected = weights.Select((w, i) => w * v[start + i, shared + column]).Sum();
                    Assert.Equal(expected, y[row, (head * d) + column], tolerance);
                }
            }
        }
    }

    private static double[] Weights(Matrix q, Matrix k, int row, int query, int key, int d, int start, int end)
    {
        var weights = new double[end - start];
        for (var s = start; s < end; s++)
        {
            weights[s - start] = Math.Exp(Enumerable.Range(0, d).Sum(i => (double)q[row, query + i] * k[s, key + i]) / Math.Sqrt(d));
        }

        var sum = weights.Sum();
        return [.. weights.Select(w => w / sum)];
    }
}
