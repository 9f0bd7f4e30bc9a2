using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Comparison with what the reference stack computes.</summary>
internal static class GoldenAssert
{
    private static readonly int[] Steps = [1, 4, 8, 16];

    /// <summary>Requires every value within 2e-4 of the tensor's largest magnitude: the project's bound for FP32 against FP32 with other summation orders. Goldens named <c>.everyN</c> hold every N-th row.</summary>
    public static void Near(Golden golden, string tensor, Matrix actual, double relative = 2e-4)
    {
        var step = Steps.First(step => golden.Has(Name(tensor, step)));
        var name = Name(tensor, step);
        var expected = golden.Floats(name);
        var shape = golden.Shape(name);
        Assert.Equal((shape[0], shape[1]), ((actual.Rows + step - 1) / step, actual.Columns));

        var tolerance = relative * expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
        {
            var value = actual[i / shape[1] * step, i % shape[1]];
            Assert.True(Math.Abs(value - expected[i]) <= tolerance,
                $"{golden.Name} {tensor}: row {i / shape[1] * step}, column {i % shape[1]} is {value}, not {expected[i]} ± {tolerance:E1}.");
        }
    }

    private static string Name(string tensor, int step) => step == 1 ? tensor : $"{tensor}.every{step}";
}
