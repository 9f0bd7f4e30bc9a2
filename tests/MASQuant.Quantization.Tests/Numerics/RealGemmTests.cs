using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Tests.Numerics;

public class RealGemmTests
{
    // A sum of k products with fused multiply-add errs by at most k·ε·Σ|a·b|, and all values are below 1.
    private static double Bound(int k) => k * k * 2.3e-16;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 17, 3)]
    [InlineData(67, 31, 300)]
    [InlineData(130, 1100, 257)]
    public void Products_of_all_orientations_equal_the_definition(int m, int n, int k)
    {
        var a = RandomMatrices.Real(m, k, 1);
        var b = RandomMatrices.Real(k, n, 2);
        var expected = a.ToMathNet() * b.ToMathNet();
        var at = RealMatrix<double>.From(a.View.Transposed);
        var bt = RealMatrix<double>.From(b.View.Transposed);
        foreach (var (left, right) in new[] { (a.View, b.View), (at.View.Transposed, b.View), (a.View, bt.View.Transposed), (at.View.Transposed, bt.View.Transposed) })
        {
            var product = RealGemm.Multiply<double, double, double>(left, right);
            Assert.True((expected - product.ToMathNet()).Enumerate().Max(Math.Abs) <= Bound(k));
        }
    }

    [Fact]
    public void Single_precision_inputs_are_multiplied_exactly_in_double()
    {
        var x = RandomMatrices.Single(50, 33, 3);
        var product = RealGemm.Multiply<float, float, double>(x.View().Transposed, x.View());
        Assert.True((RandomMatrices.Gram(x) - product.ToMathNet()).Enumerate().Max(Math.Abs) <= Bound(50));
    }

    [Fact]
    public void Lower_only_products_equal_full_ones_on_and_below_the_diagonal()
    {
        var x = RandomMatrices.Real(70, 150, 4);
        var full = RealGemm.Multiply<double, double, double>(x.View.Transposed, x.View);
        var lower = new RealMatrix<double>(150, 150);
        RealGemm.Accumulate(x.View.Transposed, x.View, lower.View, subtract: true, lowerOnly: true);
        for (var i = 0; i < 150; i++)
        {
            for (var j = 0; j < 150; j++)
            {
                Assert.Equal(j <= i ? full[i, j] : 0, -lower[i, j]);
            }
        }
    }

    [Theory]
    [InlineData(1300, 70, 90)]
    [InlineData(257, 8, 33)]
    public void Rows_in_single_precision_add_up_in_double(int rows, int m, int n)
    {
        var (a, b, c) = (RandomMatrices.Single(rows, m, 7), RandomMatrices.Single(rows, n, 8), RandomMatrices.Real(m, n, 9));
        var actual = c.Copy();
        RealGemm.AddRows(a.View(), b.View(), actual.View);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var total = c[i, j];
                for (var start = 0; start < rows; start += RealGemm.BlockDepth)
                {
                    var sum = 0f;
                    for (var t = start; t < Math.Min(rows, start + RealGemm.BlockDepth); t++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[t, i], b[t, j], sum);
                    }

                    total += sum;
                }

                Assert.Equal(total, actual[i, j]);
            }
        }
    }

    [Fact]
    public void Every_output_is_summed_in_the_documented_order()
    {
        var a = RandomMatrices.Real(9, 700, 5);
        var b = RandomMatrices.Real(700, 21, 6);
        var product = RealGemm.Multiply<double, double, double>(a.View, b.View);
        for (var i = 0; i < 9; i++)
        {
            for (var j = 0; j < 21; j++)
            {
                var total = 0.0;
                for (var start = 0; start < 700; start += RealGemm.BlockDepth)
                {
                    var sum = 0.0;
                    for (var k = start; k < Math.Min(700, start + RealGemm.BlockDepth); k++)
                    {
                        sum = Math.FusedMultiplyAdd(a[i, k], b[k, j], sum);
                    }

                    total += sum;
                }

                Assert.Equal(total, product[i, j]);
            }
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        var a = RandomMatrices.Real(3, 4, 1);
        Assert.Throws<ArgumentException>(() => RealGemm.Multiply<double, double, double>(a.View, a.View));
        Assert.Equal("[4, 3]", a.View.Transposed.ToString());
    }
}
