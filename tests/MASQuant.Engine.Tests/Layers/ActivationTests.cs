using System.Runtime.Intrinsics;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.Layers;

public class ActivationTests
{
    [Fact]
    public void Exponential_is_within_one_unit_of_the_last_place()
    {
        // In units of ε, relative to the polynomial p in √½…√2: its last step ½, the step before |r|/2 = 0.17, r itself ⅛, what the series leaves out 0.07; at p < 1 the last step is ¼.
        for (var x = -87f; x < 88.7f; x += 0.0173f)
        {
            var expected = Math.Exp(x);
            Assert.Equal(expected, Exponential.Of(Vector512.Create(x))[3], Oracle.Epsilon * expected);
        }
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(-1000f, 0f)]
    [InlineData(89f, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Exponential_has_its_limits(float x, float expected) => Assert.Equal(expected, Exponential.Of(Vector512.Create(x))[0]);

    [Fact]
    public void Exponential_reaches_subnormals()
    {
        // Half a smallest subnormal for the last rounding, as much for an intermediate one.
        for (var x = -103f; x < -87f; x += 0.1f)
        {
            Assert.Equal(Math.Exp(x), Exponential.Of(Vector512.Create(x))[15], float.Epsilon + (Oracle.Epsilon * Math.Exp(x)));
        }
    }

    [Fact]
    public void SiLU_gates_the_second_factor()
    {
        var (gate, up) = (Oracle.Random(1003, 1, 30f), Oracle.Random(1003, 2));
        var y = new float[gate.Length];

        Silu.Multiply(gate, up, y);

        // The exponential's ε, then an addition, a quotient and a product of ε/2 each.
        for (var i = 0; i < y.Length; i++)
        {
            var expected = Oracle.Silu(gate[i]) * up[i];
            Assert.Equal(expected, y[i], 2.5 * Oracle.Epsilon * Math.Abs(expected));
        }
    }

    [Fact]
    public void SiLU_vanishes_far_below_zero()
    {
        var y = new float[1];
        Silu.Multiply([-200f], [5f], y);
        Assert.Equal(0f, y[0]);
    }

    [Fact]
    public void GELU_uses_the_error_function()
    {
        var x = Oracle.Random(4001, 3, 7f);
        var y = x.ToArray();

        Gelu.Apply(y);

        // ½|x| times erfc's error: 1.5e-7 of the formula and ten roundings of ε/2 of a value that is at most 1 (and falls faster than |x| grows), then the last rounding.
        for (var i = 0; i < x.Length; i++)
        {
            var expected = Oracle.Gelu(x[i]);
            Assert.Equal(expected, y[i], (0.5 * Math.Abs(x[i]) * (1.5e-7 + (5 * Oracle.Epsilon))) + (Oracle.Epsilon * Math.Abs(expected)));
        }
    }

    [Theory]
    [InlineData(Activation.TanhGelu)]
    [InlineData(Activation.QuickGelu)]
    public void GELUs_approximations_are_what_their_names_say(Activation function)
    {
        var x = Oracle.Random(4001, 3, 7f);
        var y = x.ToArray();

        Gelu.Apply(y, function);

        // x·σ(z) = x/(1 + e⁻ᶻ): z is off by four roundings (its constants among them), 2ε|z|, which the exponential carries on as a relative error where it counts; then its own ε, a sum and a quotient of ε/2 each.
        for (var i = 0; i < x.Length; i++)
        {
            double v = x[i];
            var z = function == Activation.QuickGelu ? 1.702 * v : 2 * Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v));
            var expected = v / (1 + Math.Exp(-z));
            Assert.True(function == Activation.QuickGelu || Math.Abs((0.5 * v * (1 + Math.Tanh(z / 2))) - expected) <= 1e-15 * Math.Abs(v)); // the same, where its sum does not cancel
            Assert.Equal(expected, y[i], ((2 * Math.Abs(z)) + 2.5) * Oracle.Epsilon * Math.Abs(expected));
        }
    }
}
