using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Tests.Numerics;

public class RowProductsTests
{
    // Rows and columns that fill whole tiles and vectors, and that do not.
    [Theory]
    [InlineData(24, 96, 640, false)]
    [InlineData(7, 33, 517, false)]
    [InlineData(1, 1, 1, false)]
    [InlineData(24, 640, 640, true)]
    [InlineData(13, 131, 131, true)]
    public void Products_equal_the_definition(int rows, int m, int n, bool lower)
    {
        var a = RandomMatrices.Real(m, n, 1);
        var counted = a.Copy();
        for (var i = 0; lower && i < m; i++)
        {
            counted.Row(i)[(i + 1)..].Clear();
        }

        // A sum of k products with fused multiply-add errs by at most k·ε·Σ|a·b|, and all values are below 1.
        var (x, y) = (RandomMatrices.Real(rows, n, 2), RandomMatrices.Real(rows, m, 3));
        AssertNear(x.ToMathNet() * counted.ToMathNet().Transpose(), RowProducts.Dots(x, a.View, lower), n * n * 2.3e-16);
        AssertNear(y.ToMathNet() * counted.ToMathNet(), RowProducts.Sums(y, a.View, lower), m * m * 2.3e-16);
    }

    [Fact]
    public void Sums_are_added_row_by_row()
    {
        var (a, y) = (RandomMatrices.Real(70, 90, 4), RandomMatrices.Real(9, 70, 5));
        var sums = RowProducts.Sums(y, a.View);
        for (var p = 0; p < 9; p++)
        {
            for (var j = 0; j < 90; j++)
            {
                var expected = 0.0;
                for (var i = 0; i < 70; i++)
                {
                    expected = Math.FusedMultiplyAdd(y[p, i], a[i, j], expected);
                }

                Assert.Equal(expected, sums[p, j]);
            }
        }
    }

    private static void AssertNear(MathNet.Numerics.LinearAlgebra.Matrix<double> expected, RealMatrix<double> actual, double bound)
        => Assert.True((expected - actual.ToMathNet()).Enumerate().Max(Math.Abs) <= bound);
}
