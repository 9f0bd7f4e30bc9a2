using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Tensors;

/// <summary>Against the C library's functions. Either is within a unit in the last place of the truth (twice that where <see cref="Elementary"/> says so), so that they differ by two (three) at most.</summary>
public class ElementaryTests
{
    private const int Draws = 100_000;

    public static TheoryData<string, double, long> Ranges => new()
    {
        { "exp", 0.5, 2 },
        { "exp", 40, 2 },
        { "exp", 708, 2 },
        { "ln", 2, 2 },
        { "ln", 1e-300, 2 },
        { "ln", 1e300, 2 },
        { "log10", 2, 3 },
        { "log10", 1e-10, 3 },
        { "log2", 1000, 3 },
        { "sin", 1, 2 },
        { "sin", 10, 2 },
        { "sin", 1 << 30, 2 },
        { "cos", 1, 2 },
        { "cos", 10, 2 },
        { "cos", 1 << 30, 2 },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_function_is_that_of_the_library(string name, double range, long units)
    {
        var (own, library, positive) = Functions(name);
        var random = new RandomSequence(7);
        for (var draw = 0; draw < Draws; draw++)
        {
            var x = random.NextSigned() * range;
            x = positive ? Math.Abs(x) + (range * 1e-20) : x;
            Assert.True(Distance(own(x), library(x)) <= units, $"{name}({x:R}) is {own(x):R}, of the library {library(x):R}");
        }
    }

    // Angles next to a multiple of π/2, where all but the last bits of the angle cancel: those that the library has too.
    [Fact]
    public void Angles_near_axes_keep_their_last_bits()
    {
        for (var n = 1L; n < 1 << 30; n += (n / 7) + 1)
        {
            foreach (var x in (double[])[n * (Math.PI / 2), (float)(n * (Math.PI / 2)), Math.BitIncrement(n * (Math.PI / 2))])
            {
                var (sine, cosine) = Elementary.SinCos(x);
                Assert.True(Distance(sine, Math.Sin(x)) <= 2 && Distance(cosine, Math.Cos(x)) <= 2, $"{x:R}: {sine:R}, {cosine:R}; of the library {Math.Sin(x):R}, {Math.Cos(x):R}");
            }
        }
    }

    // 2⁻⁵² (1 + |y·ln x|) of the power, the library's unit beside it.
    [Fact]
    public void A_power_is_as_near_as_its_exponent_lets_it()
    {
        var random = new RandomSequence(9);
        for (var draw = 0; draw < Draws; draw++)
        {
            var (x, y) = (Math.Abs(random.NextSigned()) * 1e6, random.NextSigned() * 3);
            var (power, library) = (Elementary.Pow(x, y), Math.Pow(x, y));
            Assert.True(Math.Abs(power - library) <= library * Math.ScaleB(1, -52) * (2 + Math.Abs(y * Math.Log(x))), $"{x:R}^{y:R} is {power:R}, of the library {library:R}");
        }
    }

    [Theory]
    [InlineData(0d, 1d)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity, 0d)]
    [InlineData(709.79, double.PositiveInfinity)]
    [InlineData(-745.14, 0d)]
    [InlineData(double.NaN, double.NaN)]
    public void Exponentials_end(double x, double expected) => Assert.Equal(expected, Elementary.Exp(x));

    [Theory]
    [InlineData(1d, 0d)]
    [InlineData(0d, double.NegativeInfinity)]
    [InlineData(-1d, double.NaN)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity)]
    [InlineData(double.NaN, double.NaN)]
    public void Logarithms_end(double x, double expected) => Assert.Equal(expected, Elementary.Log(x));

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NaN)]
    public void What_has_no_angle_has_no_sine(double x) => Assert.Equal((double.NaN, double.NaN), Elementary.SinCos(x));

    // Subnormal results and arguments.
    [Fact]
    public void The_smallest_numbers_too()
    {
        for (var x = -745.1; x < -700; x += 0.37)
        {
            Assert.True(Distance(Elementary.Exp(x), Math.Exp(x)) <= 2);
            Assert.True(Distance(Elementary.Log(Math.Exp(x)), Math.Log(Math.Exp(x))) <= 2);
        }
    }

    private static (Func<double, double> Own, Func<double, double> Library, bool Positive) Functions(string name) => name switch
    {
        "exp" => (Elementary.Exp, Math.Exp, false),
        "ln" => (Elementary.Log, Math.Log, true),
        "log2" => (Elementary.Log2, Math.Log2, true),
        "log10" => (Elementary.Log10, Math.Log10, true),
        "sin" => (Elementary.Sin, Math.Sin, false),
        "cos" => (Elementary.Cos, Math.Cos, false),
        _ => throw new ArgumentException(name, nameof(name)),
    };

    // In units in the last place: numbers of one sign are as far apart as their bits.
    private static long Distance(double a, double b) => Math.Abs(BitConverter.DoubleToInt64Bits(a) - BitConverter.DoubleToInt64Bits(b));
}
