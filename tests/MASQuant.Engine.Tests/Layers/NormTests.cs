using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Tests.Layers;

public class NormTests
{
    // A lane adds at most ⌈K/16⌉ terms and the tree four more. The sum's relative error, at most (K/16 + 5)·ε/2 as all its terms are positive,
    // halves under the root; root, division and two products add less than 3ε.
    private static double Tolerance(int columns) => ((columns / 16 / 4.0) + 4) * Oracle.Epsilon;

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(129)]
    [InlineData(3584)]
    public void RmsNorm_equals_its_formula(int columns)
    {
        var (x, gain) = (Oracle.Random(columns, 1, 60f), Oracle.Random(columns, 2, 3f));
        var expected = Oracle.RmsNorm(x, gain, 1e-6);
        var y = new float[columns];

        RmsNorm.Apply(x, gain, 1e-6f, y);

        for (var i = 0; i < columns; i++)
        {
            Assert.Equal(expected[i], y[i], Tolerance(columns) * Math.Abs(expected[i]));
        }
    }

    [Fact]
    public void RmsNorm_of_tiny_values_is_bounded_by_epsilon()
    {
        var y = new float[64];

        RmsNorm.Apply(Enumerable.Repeat(1e-10f, 64).ToArray(), Enumerable.Repeat(1f, 64).ToArray(), 1e-6f, y);

        // √ε = 1e-3 and x² vanishes beside ε, so y = 1e-10 / 1e-3 up to four roundings.
        Assert.All(y, v => Assert.Equal(1e-7, v, 1e-7 * 4 * Oracle.Epsilon));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(128)]
    [InlineData(1280)]
    public void LayerNorm_equals_its_formula(int columns)
    {
        var (x, gain, bias) = (Oracle.Random(columns, 3, 5f), Oracle.Random(columns, 4, 2f), Oracle.Random(columns, 5));
        var expected = Oracle.LayerNorm(x, gain, bias, 1e-5);
        var y = new float[columns];

        LayerNorm.Apply(x, gain, bias, 1e-5f, y);

        // The mean's absolute error is at most (K/16 + 5)·ε/2 times the mean magnitude (≤ 5), and moves every normal value by as much over the deviation
        // (about 5/√3; √ε for one column). The rest as for the root mean square, relative to the normal value (at most √K, here below 2) and the bias.
        var meanError = columns == 1 ? 0 : ((columns / 16) + 5) * Oracle.Epsilon / 2 * Math.Sqrt(3);
        for (var i = 0; i < columns; i++)
        {
            var normal = Math.Abs(expected[i] - bias[i]);
            Assert.Equal(expected[i], y[i], (meanError * Math.Abs(gain[i])) + (Tolerance(columns) * normal) + (Oracle.Epsilon * Math.Abs(expected[i])));
        }
    }

    [Fact]
    public void Matrices_are_normalized_row_by_row_and_in_place()
    {
        var x = new Matrix(37, 24, Oracle.Random(37 * 24, 6));
        var (gain, bias) = (Oracle.Random(24, 7), Oracle.Random(24, 8));
        var rms = new Matrix(37, 24);
        RmsNorm.Apply(x, gain, 1e-6f, rms);
        var expected = new float[24];
        for (var row = 0; row < x.Rows; row++)
        {
            RmsNorm.Apply(x.Row(row), gain, 1e-6f, expected);
            Assert.Equal(expected, rms.Row(row).ToArray());
        }

        var layer = new Matrix(37, 24);
        LayerNorm.Apply(x, gain, bias, 1e-5f, layer);
        LayerNorm.Apply(x, gain, bias, 1e-5f, x);
        Assert.Equal(layer.Data, x.Data);
    }
}
